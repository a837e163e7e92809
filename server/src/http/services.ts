/**
 * What the HTTP server needs from the rest; the assembly plugs the real ones in. A service reports a failure that the
 * client may know of by throwing a `NetbootError` whose code is in the API's table of errors (`name-taken`, `conflict`,
 * ...); anything else that it throws is answered as `internal` and logged.
 */
import type { Readable } from "node:stream";
import type {
	BootAttempt,
	BootPage,
	BootsQuery,
	Bystander,
	Catalog,
	Defaults,
	DefaultsChanges,
	Device,
	DeviceChanges,
	DeviceRoot,
	DiagnosesQuery,
	DiagnosisPage,
	Health,
	Image,
	ImageChanges,
	Lease,
	LogLine,
	LogQuery,
	Network,
	NetworkPatch,
	NewImage,
	NewWrite,
	RebootOrder,
	RootChanges,
	RootChangesQuery,
	ServerEvent,
	Snapshot,
	VirtualFailure,
	VirtualModel,
	Write,
	WritesQuery,
} from "@pi-netboot/api";
import type { AgentDesk } from "../writes/index.ts";

export type Awaitable<T> = T | Promise<T>;

export interface HealthService {
	health(): Awaitable<Health>;
}

export interface NetworkService {
	network(): Awaitable<Network>;
	/** All that full DHCP gave out, in the order of the addresses. */
	leases(): Awaitable<Lease[]>;
	/** Gives what holds after the change. With `confirmWithin` it is taken back unless `confirm` is called in time. */
	change(changes: NetworkPatch): Awaitable<Network>;
	/** @throws NetbootError `conflict` when nothing waits for it. */
	confirm(): Awaitable<Network>;
}

export interface ImageService {
	list(): Awaitable<Image[]>;
	get(id: string): Awaitable<Image | undefined>;
	/** Downloads it, links to it, or takes it out of the catalogue. Gives the image as it begins. */
	add(image: NewImage): Awaitable<Image>;
	change(id: string, changes: ImageChanges): Awaitable<Image | undefined>;
	/** Forgets an image, or gives up one that is arriving; deletes its file where that is asked for. Gives who runs it. */
	remove(
		id: string,
		file: "keep" | "delete",
	): Awaitable<"removed" | "not-found" | { readonly usedBy: readonly string[] }>;
	/** @param id null = the server chooses. @returns false when there is no such image. */
	setDefault(id: string | null): Awaitable<boolean>;
}

/** An upload as it is now. */
export interface UploadState {
	readonly id: string;
	/** The id that its image has or will have. */
	readonly imageId: string;
	/** Bytes of the whole, and those that are there. */
	readonly size: number;
	readonly offset: number;
}

export interface UnfinishedUpload extends UploadState {
	readonly name: string;
	/** Milliseconds since 1970. */
	readonly createdAt: number;
	readonly fingerprint?: string;
}

export interface UploadService {
	create(wish: {
		readonly name: string;
		readonly size: number;
		readonly sha256: string | undefined;
		readonly replace: boolean;
		readonly fingerprint: string | undefined;
	}): Awaitable<UploadState>;
	/** Those that are not finished. */
	list(): UnfinishedUpload[];
	get(id: string): UploadState | undefined;
	/** Takes in what comes; resolves when it is on the disk. */
	append(
		id: string,
		offset: number,
		body: Readable,
		checksum?: { readonly algorithm: "sha1" | "sha256"; readonly digest: Buffer },
	): Awaitable<UploadState>;
	/** False when there is none. */
	remove(id: string): Awaitable<boolean>;
}

export interface CatalogService {
	catalog(): Awaitable<Catalog>;
}

/** Ids may be former ones. */
export interface DeviceService {
	list(): Awaitable<Device[]>;
	get(id: string): Awaitable<Device | undefined>;
	/** Durable when it returns. Gives the device after the change, undefined when there is none. */
	change(id: string, changes: DeviceChanges): Awaitable<Device | undefined>;
	/** The layer goes at the next boot. Gives the device, undefined when there is none. */
	resetRoot(id: string): Awaitable<Device | undefined>;
	/** Undefined when there is no such device. */
	boots(id: string, page: BootsQuery): Awaitable<BootPage | undefined>;
	/** Undefined when there is no such device. */
	attempts(id: string): Awaitable<BootAttempt[] | undefined>;
	diagnoses(id: string, page: DiagnosesQuery): Awaitable<DiagnosisPage | undefined>;
	/** Who is seen on the network and does not boot from here, the last one first. */
	bystanders(): Awaitable<Bystander[]>;
}

/** What devices changed. Ids may be former ones; every call throws `device-not-found`. */
export interface RootService {
	root(id: string): Awaitable<DeviceRoot>;
	/** @throws NetbootError `conflict` when it has no root of its own. */
	changes(id: string, page: RootChangesQuery): Awaitable<RootChanges>;
	snapshots(id: string): Awaitable<Snapshot[]>;
	/** On the disk when it returns. @throws NetbootError `conflict`. */
	takeSnapshot(id: string, name: string): Awaitable<Snapshot>;
	/** @throws NetbootError `snapshot-not-found`. */
	removeSnapshot(id: string, name: string): Awaitable<void>;
	/** Gives the snapshot that the next boot begins with. @throws NetbootError `snapshot-not-found`, `conflict`. */
	restoreSnapshot(id: string, name: string): Awaitable<Snapshot>;
	defaults(): Awaitable<Defaults>;
	/** Durable when it returns. Gives what holds after the change. */
	changeDefaults(changes: DefaultsChanges): Awaitable<Defaults>;
}

export interface LogService {
	/** The newest matching lines, oldest first. */
	recent(query: LogQuery): Awaitable<LogLine[]>;
}

/** Ids may be former ones. Every call throws what the API says of it: `write-not-found`, `device-not-found`, ... */
export interface WriteService {
	/** Stored when it returns. */
	start(deviceId: string, wish: NewWrite): Awaitable<Write>;
	/** The newest first. */
	list(query: WritesQuery): Awaitable<Write[]>;
	get(id: string): Awaitable<Write>;
	cancel(id: string): Awaitable<Write>;
	retry(id: string): Awaitable<Write>;
	/** Its agent was told when it returns. */
	reboot(deviceId: string): Awaitable<RebootOrder>;
}

/** What the agents ask; see `writes`. */
export type AgentService = Pick<AgentDesk, "admit" | "hello" | "next" | "report" | "map" | "pack" | "raw">;

/** An image as a file: `read` or `close` must be called once. */
export interface ImageBytes {
	readonly name: string;
	readonly size: number;
	readonly etag: string;
	/** The bytes from `start` up to `end`; fails where the file is changed meanwhile. */
	read(start: number, end: number): Readable;
	close(): void;
}

/** How the agent comes onto Pis that were booted by other means, and images as files. */
export interface BootstrapService {
	/** Where Pis find this server: `http://HOST:PORT`. */
	readonly url: string;
	/** @param server `http://HOST:PORT`, as who asks reaches it. */
	installScript(server: string): string;
	/** Makes an agent's config.json for the Pi at this address. @throws NetbootError `conflict`. */
	introduce(address: string, server: string): Promise<object>;
	/** By the name of its file, its id, or its folder; undefined when there is none. */
	image(name: string): Promise<ImageBytes | undefined>;
}

/** An event as it goes over the wire. */
export interface SentEvent {
	readonly id: string;
	readonly type: ServerEvent["type"];
	/** Of its data. */
	readonly json: string;
}

/** Something that is counted since the start. */
export interface Counter {
	/** Without `pi_netboot_` in front of it; ends with `_total`. */
	readonly name: string;
	readonly help: string;
	readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

export interface CounterService {
	list(): readonly Counter[];
}

export interface EventService {
	/** Of the last event. */
	readonly lastId: string;
	/** Calls `listener` for each event until the function that it gives is called. */
	subscribe(listener: (event: ServerEvent, sent: SentEvent) => void): () => void;
	/** What came after an event; undefined where that is not known any more. */
	since(id: string): readonly SentEvent[] | undefined;
}

export interface VirtualPiService {
	/** Gives it power, and comes back before it has booted. @throws NetbootError `conflict` when enough of them run. */
	start(model: VirtualModel, plays?: VirtualFailure): void;
}

export interface Services {
	readonly health: HealthService;
	readonly network: NetworkService;
	readonly images: ImageService;
	readonly uploads: UploadService;
	readonly catalog: CatalogService;
	readonly devices: DeviceService;
	readonly roots: RootService;
	readonly writes: WriteService;
	readonly agents: AgentService;
	readonly bootstrap: BootstrapService;
	readonly virtualPis: VirtualPiService;
	readonly logs: LogService;
	readonly counters: CounterService;
	readonly events: EventService;
}
