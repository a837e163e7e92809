/** What an image is and what it can do, as plain values. */

import type { PartitionTable } from "../disk/index.ts";
import type { FileTree } from "../vfs/index.ts";

/** The volumes of an image. */
export interface InspectedTrees {
	readonly root?: FileTree | undefined;
	readonly boot?: FileTree | undefined;
	/** Where the boot volume is mounted in the root: `/boot/firmware` or `/boot`. */
	readonly bootMount: string;
	readonly table: PartitionTable;
}

/** Something that a person should know about an image, with what to do about it. */
export interface ImageFinding {
	/** Stable; tells findings of one kind. */
	readonly code: string;
	readonly severity: "info" | "warning" | "error";
	/** One sentence. */
	readonly message: string;
	readonly fix?: string;
}

export type Architecture = "arm64" | "arm" | "amd64" | "i386" | "riscv64";

export interface OperatingSystemFacts {
	/** `ID` of os-release; `raspios` for Raspberry Pi OS, which calls itself `debian` or `raspbian` there. */
	readonly id: string;
	/** For people: `Debian GNU/Linux 12 (bookworm)`. */
	readonly name: string;
	readonly version?: string;
	readonly codename?: string;
	readonly architecture?: Architecture;
}

/** What is there to bring the network up; several can be. */
export interface NetworkFacts {
	/** Enabled, that is: started at boot. */
	readonly networkManager: boolean;
	readonly networkd: boolean;
	readonly dhcpcd: boolean;
	readonly ifupdown: boolean;
	/** The program is there; BusyBox has it inside. */
	readonly udhcpc: boolean;
	/** Installed, whether enabled or not. */
	readonly networkdInstalled: boolean;
	readonly netplan: boolean;
	readonly cloudInit: boolean;
}

/** A line of `/etc/passwd`. */
export interface UserFacts {
	readonly name: string;
	readonly uid: number;
	readonly gid: number;
	readonly home: string;
	readonly shell: string;
}

/** The values of those kernel options that we ask for: `y`, `m`, or absent. */
export type KernelOptions = Readonly<Record<string, string>>;

export interface KernelFacts {
	/** Its name in the boot volume. */
	readonly file: string;
	readonly bits?: 32 | 64;
	/** `6.12.47+rpt-rpi-v8`. */
	readonly version?: string;
	/** Undefined when neither the root nor the kernel itself tells its configuration. */
	readonly options?: KernelOptions;
	/** The initramfs that lies beside it by name, whether `config.txt` loads it or not. */
	readonly initramfs?: string;
}

/** What the firmware of a model would load from this image. */
export interface ModelBoot {
	/** `pi3bp`, `pi4`, `pi5`, ... */
	readonly model: string;
	readonly kernel: string;
	/** The initramfs files that `config.txt` asks for; none when it asks for none. */
	readonly initramfs: readonly string[];
}

export interface ImageFacts {
	readonly os?: OperatingSystemFacts;
	/** What process 1 is, or for `openrc` what it runs; `sysvinit` is whatever else reads an inittab. */
	readonly init: "systemd" | "busybox" | "openrc" | "sysvinit" | "other" | "none";
	readonly network: NetworkFacts;
	readonly sshServer: boolean;
	readonly sudo: boolean;
	/** A Python that runs the agent. */
	readonly python3: boolean;
	/** The user that logs in: the one with the lowest uid from 1000 on, and a shell. */
	readonly firstUser?: UserFacts;
	readonly kernels: readonly KernelFacts[];
	/** The models that can boot this image, with what they load. */
	readonly models: readonly ModelBoot[];
	readonly findings: readonly ImageFinding[];
}

/** What the root alone tells. */
export type SystemFacts = Omit<ImageFacts, "kernels" | "models" | "findings">;
