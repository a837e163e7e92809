/** What the patches of a root are made from. All of it is plain values: the same input always gives the same patches. */
import type { ImageFacts } from "../../images/index.ts";
import type { FileTree } from "../../vfs/index.ts";

/** `persistent`: its changes are kept. `ephemeral`: dropped at each boot. `read-only`: refused. */
export type RootMode = "persistent" | "ephemeral" | "read-only";

/** Who a device is, in every mode and with every image. */
export interface DeviceIdentity {
	/** A label of RFC 1123: letters, digits and dashes. */
	readonly hostname: string;
	/** 32 lower-case hex digits. */
	readonly machineId: string;
	/** Private keys as PKCS #8 PEM: Ed25519, ECDSA on P-256, P-384 or P-521, or RSA; at most one of each. */
	readonly sshHostKeys: readonly string[];
	/** Lines of an `authorized_keys` file. */
	readonly authorizedKeys: readonly string[];
	/** The account to make when the image has none, and the password to set. */
	readonly user?: { readonly name?: string | undefined; readonly passwordHash?: string | undefined };
	/** Of the interface that it boots from, as `dc:a6:32:01:02:03`; without it any wired interface is taken for that. */
	readonly mac?: string;
	readonly region?: RegionSettings;
	/** For cloud-init, in place of the image's own seed. */
	readonly userData?: string | undefined;
}

/** Where the device is, and who sits before it. */
export interface RegionSettings {
	/** `Europe/Berlin`. */
	readonly timeZone?: string | undefined;
	/** `de_DE.UTF-8`. */
	readonly locale?: string | undefined;
	/** As XKB has it: `de`, `ch(fr)`. */
	readonly keyboard?: string | undefined;
	/** ISO 3166: `DE`. */
	readonly wifiCountry?: string | undefined;
}

export interface PatchInput {
	/** The root as it is in the image. */
	readonly root: FileTree;
	readonly boot?: FileTree | undefined;
	/** Where the boot volume is in the root: `/boot/firmware` or `/boot`. */
	readonly bootMount: string;
	readonly facts: ImageFacts;
	readonly device: DeviceIdentity;
	readonly mode: RootMode;
}
