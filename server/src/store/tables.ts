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
	/** The disk that the intent `write-then-disk` writes. */
	/** Between commas, in their order. */
	tags: string;
	writeTarget: string | null;
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

/** A token for programs. */
export interface TokenTable {
	/** 8 hex digits. */
	id: string;
	name: string;
	/** SHA-256 of the token, in hex. */
	hash: string;
	createdAt: number;
	lastUsedAt: number | null;
}

/** A change that somebody made. */
export interface AuditTable {
	id: Generated<number>;
	at: number;
	who: string;
	address: string;
	action: string;
	target: string | null;
	/** Without what is secret. */
	details: string;
}

/** What the rule book said of a device. */
export interface DiagnosisTable {
	id: Generated<number>;
	deviceKey: number;
	bootId: string | null;
	code: string;
	severity: string;
	message: string;
	/** What the server saw that says so; empty where an earlier version said it. */
	seen: string;
	fix: string;
	at: number;
	endedAt: number | null;
}

/** A write of an image to a disk. */
export interface WriteTable {
	/** 16 hex digits. */
	id: string;
	deviceKey: number;
	/** As it was called when the write was ordered. */
	deviceId: string;
	deviceName: string;
	imageId: string;
	imageName: string;
	/** Null until the image is prepared, as is the map's name. */
	buildId: string | null;
	map: string | null;
	dataBytes: number;
	zeroBytes: number;
	targetPath: string;
	targetModel: string;
	targetSerial: string;
	targetSize: number;
	targetIdentity: string;
	verify: string;
	/** `person` or `intent`. */
	origin: string;
	stage: string;
	percent: number;
	/** The run of the Pi's system whose agent has it; null while none has. */
	run: string | null;
	cancelled: number;
	attempts: number;
	/** JSON: what was counted, in all and in the attempts before this one. */
	counts: string;
	/** Base64: a bit for each chunk that is on the disk for certain. */
	durable: string | null;
	/** JSON: when it first came to each stage. */
	times: string;
	/** JSON: why it failed. */
	failure: string | null;
	createdAt: number;
	endedAt: number | null;
}

/** What an agent said of its Pi. */
export interface InventoryTable {
	deviceKey: number;
	bootId: string;
	version: string;
	heardAt: number;
	/** JSON. */
	inventory: string;
}

export interface SettingTable {
	key: string;
	/** JSON. */
	value: string;
}

/** A power-on, as it is shown. */
export interface AttemptTable {
	deviceKey: number;
	startedAt: number;
	/** JSON. */
	attempt: string;
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
	writes: WriteTable;
	inventories: InventoryTable;
	settings: SettingTable;
	tokens: TokenTable;
	audit: AuditTable;
	diagnoses: DiagnosisTable;
	attempts: AttemptTable;
}
