/** Looks an image over before anything boots from it: what it is, which models it can boot, and what may go wrong. */
import type { FileTree } from "../vfs/index.ts";
import type { ImageFacts, InspectedTrees, NetworkFacts, SystemFacts } from "./inspect-facts.ts";
import { bootFindings, modelFindings, rootFindings } from "./inspect-findings.ts";
import { describeKernel, findKernels, readKernelConfigs } from "./inspect-kernels.ts";
import { lookAt, missingWidth, modelBoot } from "./inspect-looks.ts";
import { BOOT_MODELS } from "./inspect-models.ts";
import { inspectNetwork } from "./inspect-network.ts";
import { hasProgram, inspectFirstUser, inspectInit, inspectOs } from "./inspect-os.ts";

/**
 * What an image is and what it can do. The kernels are unpacked off the loop, which takes up to a second: done once per build
 * of an image.
 *
 * @throws BlockFault, at least once where there are kernels, and MalformedError when a file system is broken at a place that was looked at.
 */
export function inspectImage(trees: InspectedTrees): ImageFacts {
	const { root, boot } = trees;
	const looks = boot === undefined ? [] : BOOT_MODELS.map((model) => lookAt(boot, model));
	const named = looks.flatMap(({ config }) => config.kernel ?? []);
	const system = inspectSystem(root);
	const found = boot === undefined ? [] : findKernels(boot, [...new Set(named)]);
	const configs = root === undefined ? new Map<string, string>() : readKernelConfigs(root);
	const findings = [...rootFindings(trees, system), ...bootFindings(trees)];
	const kernels = found.map((kernel) => describeKernel(kernel, configs));
	for (const look of looks) look.missing.push(...missingWidth(look, kernels, system.os?.architecture));
	const models = looks.filter((look) => look.missing.length === 0).map(modelBoot);
	return { ...system, kernels, models, findings: [...findings, ...modelFindings(looks, boot !== undefined)] };
}

const NO_NETWORK: NetworkFacts = {
	networkManager: false,
	networkd: false,
	dhcpcd: false,
	ifupdown: false,
	networkdInstalled: false,
	netplan: false,
	cloudInit: false,
};

function inspectSystem(root: FileTree | undefined): SystemFacts {
	if (root === undefined) {
		return { init: "none", network: NO_NETWORK, sshServer: false, sudo: false, python3: false };
	}
	const os = inspectOs(root);
	const firstUser = inspectFirstUser(root);
	return {
		...(os !== undefined && { os }),
		...(firstUser !== undefined && { firstUser }),
		init: inspectInit(root),
		network: inspectNetwork(root),
		sshServer: hasProgram(root, "/usr/sbin/sshd", "/usr/sbin/dropbear"),
		sudo: hasProgram(root, "/usr/bin/sudo"),
		python3: hasProgram(root, "/usr/bin/python3"),
	};
}
