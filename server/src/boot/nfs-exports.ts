/**
 * The exports: a path that lives for one boot leads to the root of its device, and handles lead back to it, over restarts
 * of the server. Who may use them is decided here.
 */
import { BlockFault, type Clock, errorText, FileError, type Logger, whenReady } from "../base/index.ts";
import type { Boot, Device, DeviceRegistry } from "../devices/index.ts";
import type { HandleCodec } from "../vfs/index.ts";
import type { NfsClient, NfsPort, ResolvedHandle } from "../wire/nfs3/index.ts";
import type { OpenRoot } from "./open-root.ts";
import type { RootKeeper } from "./root-keeper.ts";
import { RootWatch } from "./root-watch.ts";
import { Said } from "./said.ts";

export interface NfsExportsOptions {
	readonly registry: DeviceRegistry;
	readonly roots: RootKeeper;
	readonly handles: HandleCodec;
	/** The MAC behind an address of the LAN, when the system knows it. */
	readonly macOf: (address: string) => Promise<string | undefined>;
	readonly clock: Clock;
	readonly log: Logger;
}

/** A handle that this connection has used. */
interface KnownHandle {
	readonly open: OpenRoot;
	readonly resolved: ResolvedHandle;
}

interface Connection {
	readonly handles: Map<string, KnownHandle>;
	readonly roots: Set<OpenRoot>;
	/** Roots that it was let into; who may is asked once per connection. */
	readonly admitted: Set<string>;
}

/** Handles that a connection is known to hold; more are verified again. */
const HANDLES_KEPT = 16_384;

/** For how long a root that cannot be opened is not tried again. */
const FAILED_MS = 2_000;

const EXPORT_PATH = /^\/pi\/[0-9a-f]{8,12}\/([0-9a-f]{32})$/;

/** A path as it may be shown: what lets one in there is left out. */
function withoutToken(path: string): string {
	return path.replaceAll(/[0-9a-f]{32}/gi, "...").slice(0, 100);
}

/** The path in a boot's `nfsroot=`; nobody can guess it. */
export function exportPath(deviceId: string, boot: Boot): string {
	return `/pi/${deviceId}/${boot.exportToken}`;
}

export class NfsExports implements NfsPort {
	readonly #options: NfsExportsOptions;
	readonly #watch: RootWatch;
	/** Who is refused tries again every second. */
	readonly #said = new Said();
	/** Which boot was mounted from which address. */
	readonly #mounts = new Said();
	readonly #connections = new Map<object, Connection>();
	readonly #failed = new Map<string, { readonly until: number; readonly error: unknown }>();

	constructor(options: NfsExportsOptions) {
		this.#options = options;
		this.#watch = new RootWatch(options);
	}

	resolve(handle: Buffer, client: NfsClient): ResolvedHandle {
		const connection = this.#connection(client.connection);
		const key = handle.toString("latin1");
		const known = connection.handles.get(key);
		if (known !== undefined && !known.open.isClosed) {
			const now = this.#options.clock.monotonic();
			known.open.used(client.connection, now);
			this.#watch.used(known.open, known.resolved.node, now);
			return known.resolved;
		}
		return this.#verify(handle, key, connection, client);
	}

	#connection(key: object): Connection {
		const known = this.#connections.get(key);
		if (known !== undefined) return known;
		const connection = { handles: new Map(), roots: new Set<OpenRoot>(), admitted: new Set<string>() };
		this.#connections.set(key, connection);
		return connection;
	}

	#verify(handle: Buffer, key: string, connection: Connection, client: NfsClient): ResolvedHandle {
		const decoded = this.#options.handles.decode(handle);
		const open = this.#opened(decoded.root.toString("hex"));
		this.#admit(open, connection, client);
		this.#enter(open, connection);
		const now = this.#options.clock.monotonic();
		open.used(client.connection, now);
		this.#watch.opened(open);
		const known = { open, resolved: { export: open.root, node: open.root.nodeOf(decoded), meter: open.signs } };
		if (connection.handles.size >= HANDLES_KEPT) connection.handles.clear();
		connection.handles.set(key, known);
		this.#watch.used(open, known.resolved.node, now);
		return known.resolved;
	}

	/** A root that is opened anew takes the place of the one that was closed. */
	#enter(open: OpenRoot, connection: Connection): void {
		if (connection.roots.has(open)) return;
		for (const other of connection.roots) if (other.isClosed) connection.roots.delete(other);
		connection.roots.add(open);
	}

	/** @throws BlockFault while the root is being opened; what made that fail, for a while. */
	#opened(id: string): OpenRoot {
		const open = this.#options.roots.opened(id);
		if (open !== undefined) return open;
		const failed = this.#failed.get(id);
		if (failed !== undefined && failed.until > this.#options.clock.monotonic()) throw failed.error;
		const opening = this.#options.roots.openById(id).then(
			() => void this.#failed.delete(id),
			(error: unknown) => {
				if (this.#failed.size > 1000) this.#failed.clear();
				this.#failed.set(id, { until: this.#options.clock.monotonic() + FAILED_MS, error });
				const sentence = `a root cannot be opened: ${errorText(error)}`;
				if (this.#said.isNew(id, sentence)) this.#options.log.warn(sentence);
			},
		);
		throw new BlockFault(opening);
	}

	/**
	 * "An address that belongs to another device is refused; an unknown one with a valid handle is looked up, let through,
	 * logged": a Pi that runs often has two addresses.
	 *
	 * @throws FileError EACCES
	 */
	#admit(open: OpenRoot, connection: Connection, client: NfsClient): void {
		if (connection.admitted.has(open.id)) return;
		const owner = this.#options.registry.deviceAt(client.address);
		if (owner !== undefined && owner.key !== open.deviceKey) {
			throw new FileError("EACCES", `${client.address} belongs to another device`);
		}
		connection.admitted.add(open.id);
		if (owner !== undefined) return;
		this.#lookUp(open, connection, client).catch((error: unknown) => {
			this.#options.log.warn(`whose address ${client.address} is was not found out: ${errorText(error)}`);
		});
	}

	/** Finds out whose address it is; when it is another device's, it is put out again. */
	async #lookUp(open: OpenRoot, connection: Connection, client: NfsClient): Promise<void> {
		const { registry, log } = this.#options;
		const device = registry.byKey(open.deviceKey);
		const mac = await this.#options.macOf(client.address);
		const owner = mac === undefined ? undefined : registry.byMac(mac);
		if (owner !== undefined) registry.bind(owner, client.address, "neighbour");
		if (owner === device || device === undefined) return;
		if (owner === undefined) {
			log.info({ device: device.id }, `uses its root from ${client.address} too, whose MAC is ${mac ?? "not known"}`);
			return;
		}
		connection.admitted.delete(open.id);
		connection.handles.clear();
		log.warn({ device: owner.id }, `was refused the root of ${device.name}`);
	}

	async mount(path: string, client: NfsClient): Promise<Buffer> {
		const token = EXPORT_PATH.exec(path)?.[1];
		const boot = token === undefined ? undefined : this.#options.registry.bootByToken(token);
		const device = boot === undefined ? undefined : this.#options.registry.byKey(boot.deviceKey);
		if (boot === undefined || device === undefined)
			return this.#refuse(path, client, "ENOENT", "no boot has this path");
		await this.#checkAddress(path, client, device.key);
		const handle = await this.#rootHandle(boot);
		await this.#mounted(boot.id, device, client);
		return handle;
	}

	/** That it is mounted is stored before it is answered. Who has the path may ask for it without end: once is enough. */
	async #mounted(bootId: string, device: Device, client: NfsClient): Promise<void> {
		const { registry, log } = this.#options;
		const boot = registry.boot(bootId);
		const isNew = this.#mounts.isNew(`${bootId} ${client.address}`, "");
		if (boot === undefined || (!isNew && boot.mountedAt !== null)) return;
		await registry.bootMounted(bootId);
		if (isNew) log.info({ device: device.id }, `mounts its root (${boot.mode}) from ${client.address}`);
	}

	async #rootHandle(boot: Boot): Promise<Buffer> {
		const open = await this.#options.roots.openFor(boot);
		// It may have been closed again before we come to run.
		if (open.isClosed) return this.#rootHandle(boot);
		this.#watch.mounted(open);
		return whenReady(() => open.root.handleOf(open.root.root));
	}

	/** @throws FileError EACCES when the address is another device's. */
	async #checkAddress(path: string, client: NfsClient, deviceKey: number): Promise<void> {
		const { registry } = this.#options;
		let owner = registry.deviceAt(client.address);
		if (owner?.key === deviceKey) return;
		const mac = await this.#options.macOf(client.address);
		const behind = mac === undefined ? undefined : registry.byMac(mac);
		if (behind !== undefined) registry.bind(behind, client.address, "neighbour");
		owner = behind ?? owner;
		if (owner !== undefined && owner.key !== deviceKey) {
			this.#refuse(path, client, "EACCES", `${client.address} is the address of ${owner.name}`);
		}
	}

	#refuse(path: string, client: NfsClient, code: "ENOENT" | "EACCES", reason: string): never {
		const { registry, log } = this.#options;
		const device = registry.deviceAt(client.address);
		const about = device === undefined ? {} : { device: device.id };
		const shown = withoutToken(path);
		const sentence = `${client.address} may not mount ${JSON.stringify(shown)}: ${reason}`;
		if (this.#said.isNew(client.address, sentence)) log.warn(about, sentence);
		if (device !== undefined) registry.fact(device, { kind: "mount-refused", path: shown, reason });
		throw new FileError(code, reason);
	}

	/** The portmapper was asked where we are: an initramfs is about to mount its root. */
	portmapAsked(address: string): void {
		const device = this.#options.registry.deviceAt(address);
		if (device !== undefined) this.#options.registry.fact(device, { kind: "portmap" });
	}

	unmount(path: string | undefined, client: NfsClient): void {
		this.#options.log.debug(`${client.address} unmounts ${path === undefined ? "everything" : withoutToken(path)}`);
	}

	isAtHome(client: NfsClient): boolean {
		return (this.#connections.get(client.connection)?.roots.size ?? 0) > 0;
	}

	disconnected(client: NfsClient): void {
		const connection = this.#connections.get(client.connection);
		if (connection === undefined) return;
		for (const open of connection.roots) open.left(client.connection);
		this.#connections.delete(client.connection);
	}
}
