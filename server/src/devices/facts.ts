/** The stages of a boot, and what the server can see of it. */

export const STAGES = ["dhcp", "firmware", "kernel", "root", "userspace", "agent"] as const;
export type Stage = (typeof STAGES)[number];

/** How a transfer ended, in the TFTP server's words. */
export type TransferOutcome = "complete" | "probe" | "aborted" | "timeout" | "failed";

export type Fact =
	/** The firmware asks for an address and for somebody to boot from, through a DHCP relay or not. */
	| { readonly kind: "discover"; readonly relay?: string }
	/** Too many boot at the moment: we answer when it is its turn. */
	| { readonly kind: "waits"; readonly before: number }
	/** We answered. */
	| { readonly kind: "offer" }
	/** We do not answer: a person wants that, or the image that it is to boot (null = the default) is not ready. */
	| { readonly kind: "unanswered"; readonly why: "disk" | "ignore" }
	| { readonly kind: "unanswered"; readonly why: "no-image"; readonly imageId: string | null }
	/** While we give out addresses it took one from that DHCP server. */
	| { readonly kind: "other-server"; readonly address: string }
	/** We give out addresses, and had none left for it. */
	| { readonly kind: "no-address-left"; readonly range: string }
	/** The firmware takes an address, from that DHCP server. */
	| { readonly kind: "request"; readonly server?: string }
	/** A boot file was asked for; `path` is without the serial. */
	| { readonly kind: "tftp-open"; readonly path: string; readonly found: boolean }
	/** A transfer ended. `bytes` of `size` were acknowledged, the last of them `silentMs` milliseconds before. */
	| {
			readonly kind: "tftp-end";
			readonly path: string;
			readonly outcome: TransferOutcome;
			readonly bytes: number;
			readonly size: number;
			readonly silentMs?: number;
	  }
	/** `cmdline.txt` goes out: from here on it is a boot with an id. */
	| { readonly kind: "cmdline"; readonly bootId: string }
	/** `cmdline.txt` was asked for from an address that is not proved to be this device's. */
	| { readonly kind: "cmdline-refused"; readonly address: string }
	/** Linux asks for an address: its kernel, its initramfs, or the system that runs. */
	| { readonly kind: "linux-dhcp"; readonly by: "kernel" | "initramfs" | "userland" }
	/** The portmapper was asked where the NFS server is. */
	| { readonly kind: "portmap" }
	| { readonly kind: "mount"; readonly bootId: string }
	| { readonly kind: "mount-refused"; readonly path: string; readonly reason: string }
	/**
	 * A file of the root was looked up or read: said for the first, and then from time to time. `bytes` were read since that was
	 * said last.
	 */
	| { readonly kind: "nfs"; readonly bootId: string; readonly bytes?: number }
	/** `/etc/os-release` was read: an init system is at work. */
	| { readonly kind: "os-release"; readonly bootId: string; readonly bytes?: number }
	| { readonly kind: "agent"; readonly bootId: string }
	/**
	 * The image below the root was overwritten or deleted: nothing of it can be read any more. One that was booted before all of it
	 * was there may have come to nothing: then `failure` says why.
	 */
	| { readonly kind: "image-changed"; readonly bootId: string; readonly failure?: string | undefined }
	/** The address of ours that its root is mounted from is not ours any more; `to` is the one that we have now. */
	| { readonly kind: "server-moved"; readonly bootId: string; readonly from: string; readonly to: string | undefined }
	/** That address is ours again. */
	| { readonly kind: "server-back"; readonly bootId: string }
	/** Another device claims this one's address, or the other way round. */
	| { readonly kind: "address-conflict"; readonly address: string; readonly other: string }
	/** An address is proved to be this device's. */
	| { readonly kind: "address-proved"; readonly address: string };
