/** Looks an image over before anything boots from it: what it is, which models it can boot, and what may go wrong. */
import type { FileTree } from "../vfs/index.ts";
import { effectiveConfig } from "./inspect-config-txt.ts";
import type { ImageFacts, InspectedTrees, NetworkFacts, SystemFacts } from "./inspect-facts.ts";
import { bootFindings, modelFindings, rootFindings } from "./inspect-findings.ts";
import { initramfsFindings, missingNfsRoot } from "./inspect-initramfs.ts";
import { describeKernel, findKernels, readKernelConfigs } from "./inspect-kernels.ts";
import { bootFiles, lookAt, type ModelLook, missingWidth, modelBoot } from "./inspect-looks.ts";
import { BOOT_MODELS } from "./inspect-models.ts";
import { inspectNetwork } from "./inspect-network.ts";
import { hasProgram, inspectFirstUser, inspectInit, inspectOs } from "./inspect-os.ts";
import { pythonLack } from "./inspect-python.ts";
import { toldFindings } from "./inspect-told.ts";

/**
 * What an image is and what it can do. The kernels are unpacked off the loop, which takes up to a second: done once per build
 * of an image.
 *
 * @throws BlockFault, at least once where there are kernels, and MalformedError when a file system is broken at a place that was looked at.
 */
export function inspectImage(trees: InspectedTrees): ImageFacts {
	const { root, boot } = trees;
	const looks = boot === undefined ? [] : BOOT_MODELS.map((model) => lookAt(boot, model));
	const named = boot === undefined ? [] : namedKernels(boot, looks);
	const system = inspectSystem(root);
	const found = boot === undefined ? [] : findKernels(boot, [...new Set(named)]);
	const configs = readKernelConfigs(root, boot);
	const findings = [...rootFindings(trees, system), ...bootFindings(trees)];
	const kernels = found.map((kernel) => describeKernel(kernel, configs));
	for (const look of looks) {
		look.missing.push(...missingWidth(look, kernels, system.os?.architecture), ...missingNfsRoot(look, kernels));
	}
	const bootable = looks.filter((look) => look.missing.length === 0);
	findings.push(...initramfsFindings(trees, system, bootable, kernels), ...modelFindings(looks, boot !== undefined));
	return { ...system, kernels, models: bootable.map(modelBoot), findings: toldFindings(findings) };
}

/** What `kernel=` names, also in the configuration that is only tried. */
function namedKernels(boot: FileTree, looks: readonly ModelLook[]): string[] {
	const tried = looks.map(({ model }) => effectiveConfig(bootFiles(boot), model, { tryboot: true }));
	return [...looks.map(({ config }) => config), ...tried].flatMap(({ kernel }) => kernel ?? []);
}

const NO_NETWORK: NetworkFacts = {
	networkManager: false,
	networkd: false,
	dhcpcd: false,
	ifupdown: false,
	udhcpc: false,
	networkdInstalled: false,
	netplan: false,
	cloudInit: false,
};

function inspectSystem(root: FileTree | undefined): SystemFacts {
	if (root === undefined) {
		return { init: "none", network: NO_NETWORK, sshServer: false, sudo: false, python3: false };
	}
	const os = inspectOs(root);
	const init = inspectInit(root);
	const firstUser = inspectFirstUser(root);
	return {
		...(os !== undefined && { os }),
		...(firstUser !== undefined && { firstUser }),
		init,
		network: inspectNetwork(root, init),
		sshServer: hasProgram(root, "/usr/sbin/sshd", "/usr/sbin/dropbear"),
		sudo: hasProgram(root, "/usr/bin/sudo"),
		python3: pythonLack(root) === undefined,
	};
}
