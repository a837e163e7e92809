/** What a virtual Pi can play that goes wrong, as a person sees it. */
import type { VirtualFailure } from "@pi-netboot/api";

/** In the order of a boot. */
export const failures: Readonly<Record<VirtualFailure, string>> = {
	deaf: "It hears no answer and gets no address",
	"no-acks": "No file reaches it",
	slow: "Its link is bad: files take too long",
	stops: "It falls silent in the middle of a file",
	"config-loop": "It finds no kernel that it takes",
	"dead-kernel": "Its kernel starts, and asks for nothing",
	"no-nfs": "It reaches no NFS server",
	"portmap-only": "It reaches the portmapper, but no NFS server",
	"old-root": "It asks for the root of an earlier boot",
	"no-init": "Nothing starts from its root",
	reboots: "It starts anew again and again",
};
