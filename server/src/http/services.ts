/**
 * What the HTTP server needs from the rest; the assembly plugs the real ones in. A service reports a failure that the
 * client may know of by throwing a `NetbootError` whose code is in the API's table of errors (`name-taken`, `conflict`,
 * ...); anything else that it throws is answered as `internal` and logged.
 */
import type {
	Device,
	DeviceChanges,
	Health,
	Image,
	LogLine,
	LogQuery,
	Network,
	NetworkChanges,
	ServerEvent,
} from "@pi-netboot/api";

export type Awaitable<T> = T | Promise<T>;

export interface HealthService {
	health(): Awaitable<Health>;
}

export interface NetworkService {
	network(): Awaitable<Network>;
	/** Gives what holds after the change. */
	change(changes: NetworkChanges): Awaitable<Network>;
}

export interface ImageService {
	list(): Awaitable<Image[]>;
	get(id: string): Awaitable<Image | undefined>;
	/** Deletes the image's file. */
	remove(id: string): Awaitable<"removed" | "not-found" | "in-use">;
	/** @param id null = the server chooses. @returns false when there is no such image. */
	setDefault(id: string | null): Awaitable<boolean>;
}

/** Ids may be former ones. */
export interface DeviceService {
	list(): Awaitable<Device[]>;
	get(id: string): Awaitable<Device | undefined>;
	/** Durable when it returns. Gives the device after the change, undefined when there is none. */
	change(id: string, changes: DeviceChanges): Awaitable<Device | undefined>;
	/** The layer goes at the next boot. Gives the device, undefined when there is none. */
	resetRoot(id: string): Awaitable<Device | undefined>;
}

export interface LogService {
	/** The newest matching lines, oldest first. */
	recent(query: LogQuery): Awaitable<LogLine[]>;
}

export interface EventService {
	/** Calls `listener` for each event until the function that it gives is called. */
	subscribe(listener: (event: ServerEvent) => void): () => void;
}

export interface Services {
	readonly health: HealthService;
	readonly network: NetworkService;
	readonly images: ImageService;
	readonly devices: DeviceService;
	readonly logs: LogService;
	readonly events: EventService;
}
