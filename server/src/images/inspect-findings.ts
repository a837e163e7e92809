/** What a person should know about an image before a Pi boots from it. */
import { nameToUtf8 } from "../base/index.ts";
import { type FileTree, listDirectoryAt, readTextAt, resolvePath } from "../vfs/index.ts";
import type { ImageFinding, InspectedTrees, SystemFacts } from "./inspect-facts.ts";
import type { ModelLook } from "./inspect-looks.ts";
import { ifupdownClient } from "./inspect-network.ts";
import { pythonLack } from "./inspect-python.ts";

/** The code of the finding that nothing helps against. */
export const WRONG_ARCHITECTURE = "wrong-architecture";

/** About the root: whether it can start at all, and whether anybody can log in. */
export function rootFindings(trees: InspectedTrees, facts: SystemFacts): ImageFinding[] {
	const { root } = trees;
	if (root === undefined) return [noRootFinding(trees.boot)];
	const findings = [
		...initFindings(facts),
		...architectureFindings(facts),
		...loginFindings(root, facts),
		...networkFindings(root, facts),
	];
	return [...findings, ...pythonFindings(root), ...fstabFindings(trees)];
}

function noRootFinding(boot: FileTree | undefined): ImageFinding {
	const diskless = boot === undefined ? undefined : disklessFinding(boot);
	const fix = "Use an image with ext4.";
	return diskless ?? error("no-root", "No partition holds a Linux root file system that can be read.", fix);
}

/** Why there is no root: a system that makes it in memory. Undefined where the boot volume tells of no such thing. */
export function disklessFinding(boot: FileTree): ImageFinding | undefined {
	if (!isDiskless(boot)) return undefined;
	const message =
		"This is Alpine's diskless layout: its root is made in memory from packages on the boot volume, which it does not find without a disk.";
	return error("alpine-diskless", message, "Use an image with Alpine installed on ext4 (setup-disk -m sys).");
}

/** Alpine's boot volume has the packages that the root is made of, and the kernel's modules as a file system of their own. */
function isDiskless(boot: FileTree): boolean {
	if (
		resolvePath(boot, "/apks/.boot_repository") !== undefined ||
		resolvePath(boot, "/.alpine-release") !== undefined
	) {
		return true;
	}
	return ["/", "/boot"].some((folder) =>
		listDirectoryAt(boot, folder).some(({ name }) => /^modloop-/.test(nameToUtf8(name))),
	);
}

function initFindings(facts: SystemFacts): ImageFinding[] {
	if (facts.init === "none") return [error("no-init", "The root has no /sbin/init: nothing can start from it.")];
	if (facts.init !== "other") return [];
	const message =
		"The system starts with neither systemd, nor BusyBox, OpenRC or System V's init: its network and services are not adapted.";
	return [
		warning("unknown-init", message, "Prepare in the image that its network keeps the address that it boots with."),
	];
}

function architectureFindings(facts: SystemFacts): ImageFinding[] {
	const architecture = facts.os?.architecture;
	if (architecture === undefined || architecture === "arm64" || architecture === "arm") return [];
	const message = `The system is compiled for ${architecture}, which no Raspberry Pi runs.`;
	return [error(WRONG_ARCHITECTURE, message, "Use its image for the Raspberry Pi, or for arm64.")];
}

function loginFindings(root: FileTree, facts: SystemFacts): ImageFinding[] {
	const findings: ImageFinding[] = [];
	if (!facts.sshServer) {
		const message = "There is no SSH server: you can only log in at the console.";
		findings.push(warning("no-sshd", message, "Put openssh-server or dropbear into the image."));
	}
	if (facts.init === "none" || facts.firstUser !== undefined) return findings;
	const isSystemd = facts.init === "systemd";
	if (!isSystemd && !facts.sudo) findings.push(info("root-only", "root is the only user: it gets your SSH keys."));
	else findings.push(info("no-user", "The image has no user: each Pi gets a user pi with your SSH keys."));
	if (facts.network.cloudInit && resolvePath(root, "/etc/cloud/cloud.cfg") !== undefined) {
		findings.push(info("cloud-init-user", "cloud-init makes a user of its own beside pi when its user-data says so."));
	}
	return findings;
}

/** Somebody in the image has to renew the lease of the address that the root is reached with. */
function networkFindings(root: FileTree, { init, network }: SystemFacts): ImageFinding[] {
	const { networkManager, networkd, networkdInstalled, dhcpcd, ifupdown, udhcpc } = network;
	const bySystemd = init === "systemd" && (networkManager || networkd || networkdInstalled);
	const byIfupdown = ifupdown && ifupdownClient(root) !== undefined;
	if (init === "none" || bySystemd || dhcpcd || byIfupdown || udhcpc) return [];
	const message =
		"Nothing in the image renews a DHCP lease: the router may give the Pi's address to another one while it runs.";
	return [
		warning("no-dhcp-client", message, "Put a DHCP client into the image, or reserve the address in the router."),
	];
}

function pythonFindings(root: FileTree): ImageFinding[] {
	const lack = pythonLack(root);
	if (lack === undefined) return [];
	const message = `${lack}: a Pi boots from this image, but its disks cannot be written while it runs it.`;
	return [info("no-python", message, "Put Python 3.9 or newer into the image, or boot another one to write disks.")];
}

/** Lines of fstab that name a part of the image's own disk, which a Pi that boots from the network does not have. */
function fstabFindings({ root, table }: InspectedTrees): ImageFinding[] {
	const text = root === undefined ? "" : (readTextAt(root, "/etc/fstab") ?? "");
	const devices = [...text.matchAll(/^[ \t]*((?:PARTUUID|UUID|LABEL|PARTLABEL)=\S+|\/dev\/\S+)[ \t]+(\S+)/gm)];
	const own = new Set(table.partitions.map((partition) => `PARTUUID=${partition.partuuid}`.toLowerCase()));
	return devices.flatMap(([, device = "", mount = ""]) => {
		const line = `fstab mounts ${device} on ${mount}`;
		if (mount === "/" || mount.startsWith("/boot")) return [info("fstab-disk", `${line}: replaced.`)];
		if (!own.has(device.toLowerCase())) return [];
		const message = `${line}: that partition of the image is not served, the directory stays empty.`;
		return [warning("fstab-partition", message, "Keep everything in the root partition.")];
	});
}

/** About the boot volume as a whole. */
export function bootFindings(trees: InspectedTrees): ImageFinding[] {
	const { boot } = trees;
	if (boot === undefined) {
		const message = "No partition holds boot files (a FAT volume with config.txt): no Pi can boot this image.";
		return [error("no-boot-volume", message, "Use an image that was made for the Raspberry Pi.")];
	}
	const findings: ImageFinding[] = [];
	if (resolvePath(boot, "/cmdline.txt") === undefined) {
		findings.push(info("no-cmdline", "There is no cmdline.txt: one is made."));
	}
	return [...findings, ...firstBootFindings(boot)];
}

/** What an imaging program left on the boot volume for a first boot that does not happen here. */
function firstBootFindings(boot: FileTree): ImageFinding[] {
	const cmdline = readTextAt(boot, "/cmdline.txt") ?? "";
	const findings: ImageFinding[] = [];
	if (/\bsystemd\.run=/.test(cmdline)) {
		const message = "cmdline.txt runs a first-boot script (systemd.run=): it is not run.";
		findings.push(warning("first-run", message, "Set user, keys and host name here, or run the script by hand."));
	}
	if (cmdline.split(/\s/).some((word) => word.startsWith("init=") && word.includes("firstboot"))) {
		findings.push(info("firstboot", "cmdline.txt starts a first-boot resize of the disk: replaced."));
	}
	if (resolvePath(boot, "/custom.toml") !== undefined) {
		const message = "custom.toml sets up a first boot: it is not used.";
		findings.push(warning("custom-toml", message, "Set user, keys and host name here."));
	}
	return findings;
}

/** The families that people ask about, by the model that stands for each. */
const FAMILIES = ["pi3bp", "pi4", "pi5"];

/** Which families of models cannot boot, and why. An error when there is none that can. */
export function modelFindings(looks: readonly ModelLook[], hasBoot: boolean): ImageFinding[] {
	if (!hasBoot) return [];
	const none = looks.every((look) => look.missing.length > 0);
	return looks
		.filter((look) => FAMILIES.includes(look.model.id) && look.missing.length > 0)
		.map((look) => {
			const message = `No ${look.missing.join(", no ")}: a ${look.model.name} cannot boot this.`;
			return { code: `cannot-boot-${look.model.id}`, severity: none ? "error" : "info", message };
		});
}

function finding(severity: ImageFinding["severity"], code: string, message: string, fix?: string): ImageFinding {
	return { code, severity, message, ...(fix !== undefined && { fix }) };
}

function error(code: string, message: string, fix?: string): ImageFinding {
	return finding("error", code, message, fix);
}

function warning(code: string, message: string, fix?: string): ImageFinding {
	return finding("warning", code, message, fix);
}

function info(code: string, message: string, fix?: string): ImageFinding {
	return finding("info", code, message, fix);
}
