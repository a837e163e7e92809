/** The tables as Kysely knows them. Names are camelCase here and snake_case in the file (CamelCasePlugin). */
import type { Generated } from "kysely";

/** Times are milliseconds since 1970, yes and no are 1 and 0. */
export interface DeviceTable {
	/** Internal, never used again for another device. */
	key: Generated<number>;
	id: string;
	mac: string;
	serial: string | null;
	/** Who told the serial: 0 nobody, 1 a TFTP path, 2 option 97, 3 its agent. */
	serialSource: number;
	revision: number | null;
	model: string | null;
	/** How sure we are of the model: 1 a guess, 2 from the device tree it asked for, 3 from its board revision. */
	modelSource: number;
	name: string;
	imageId: string | null;
	rootMode: string | null;
	intent: string;
	rootReset: number;
	quotaBytes: number | null;
	/** JSON; holds secrets. */
	customisation: string | null;
	bootCount: number;
	lastBootAt: number | null;
	lastSeenAt: number;
	/** 1 once it booted or a person changed something: it is not forgotten to make room. */
	kept: number;
	address: string | null;
	addressSource: string | null;
	addressAt: number | null;
	machineId: string | null;
	/** JSON. */
	sshHostKeys: string | null;
	createdAt: number;
}

/** Every id that a device has or had. */
export interface DeviceIdTable {
	id: string;
	deviceKey: number;
}

export interface BootTable {
	id: string;
	deviceKey: number;
	imageId: string;
	buildId: string;
	layerId: string | null;
	exportToken: string;
	secret: string;
	mode: string;
	/** The address of ours that its command line names; null in boots of the first version. */
	server: string | null;
	startedAt: number;
	mountedAt: number | null;
	endedAt: number | null;
}

export interface BootStageTable {
	bootId: string;
	stage: string;
	at: number;
}

export interface LayerTable {
	id: string;
	path: string;
	deviceKey: number;
	imageId: string;
	buildId: string;
	mode: string;
	state: string;
	createdAt: number;
	lastUsedAt: number;
}

/** A copy of a layer that a person named. */
export interface SnapshotTable {
	id: string;
	deviceKey: number;
	/** Unique per device. */
	name: string;
	/** Of its files, in the folder of the snapshots. */
	path: string;
	imageId: string;
	buildId: string;
	createdAt: number;
}

export interface ImageTable {
	id: string;
	firstName: string;
	name: string;
	path: string;
	/** Decimal: device and inode numbers of some file systems do not fit a number. */
	dev: string;
	ino: string;
	superblockIdentity: string;
	createdAt: number;
}

/** An address of full DHCP. */
export interface LeaseTable {
	address: string;
	/** Whose it is; of one that is kept out of use, who has or refused it, empty when nobody knows. */
	mac: string;
	/** `leased`, `released`, `declined`, `in-use`. */
	state: string;
	expiresAt: number;
}

export interface SettingTable {
	key: string;
	/** JSON. */
	value: string;
}

export interface Tables {
	devices: DeviceTable;
	deviceIds: DeviceIdTable;
	boots: BootTable;
	bootStages: BootStageTable;
	layers: LayerTable;
	snapshots: SnapshotTable;
	images: ImageTable;
	leases: LeaseTable;
	settings: SettingTable;
}
