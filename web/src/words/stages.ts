/** What the stages of a boot and the settings of a Pi are called on the page. */
import type { Intent, RootMode, Stage } from "@pi-netboot/api";

export const stages: readonly Stage[] = ["dhcp", "firmware", "kernel", "root", "userspace", "agent"];

export const stageNames: Readonly<Record<Stage, string>> = {
	dhcp: "Network",
	firmware: "Firmware",
	kernel: "Kernel",
	root: "Root",
	userspace: "System",
	agent: "Ready",
};

/** What a Pi is doing that has come so far. */
export const stageSentences: Readonly<Record<Stage, string>> = {
	dhcp: "Asking for an address",
	firmware: "Loading its boot files",
	kernel: "Starting the kernel",
	root: "Mounting its root",
	userspace: "Running",
	agent: "Running",
};

export const rootModes: Readonly<Record<RootMode, { readonly name: string; readonly meaning: string }>> = {
	persistent: { name: "Keep changes", meaning: "What the Pi changes is kept, for itself alone." },
	ephemeral: { name: "Fresh at each boot", meaning: "What the Pi changes is dropped when it boots again." },
	"read-only": { name: "Read only", meaning: "The Pi cannot change its system." },
};

export const intents: Readonly<Record<Intent, { readonly name: string; readonly meaning: string }>> = {
	netboot: { name: "Boot from the network", meaning: "The server gives it its system." },
	disk: { name: "Boot from its own disk", meaning: "The server is silent, so it goes on to its SD card or drive." },
	"write-then-disk": { name: "Write its disk, then boot from it", meaning: "Once: afterwards it runs by itself." },
	ignore: { name: "Leave it alone", meaning: "The server never answers it." },
};
