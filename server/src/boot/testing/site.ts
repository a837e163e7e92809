/** A server without sockets, for tests: a store, devices, small images and roots in a folder of their own. */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Logger, ManualClock, silentLogger, whenReady } from "../../base/index.ts";
import { type Device, DeviceRegistry } from "../../devices/index.ts";
import { eeprom } from "../../devices/testing/pis.ts";
import { inspectImage } from "../../images/index.ts";
import type { AddressHolder, Neighbour, Told } from "../../net/index.ts";
import { openStore, type Store } from "../../store/index.ts";
import { makePiImage, type PiImageOptions } from "../../vfs/image/testing/images.ts";
import { HandleCodec, ImageBuild } from "../../vfs/index.ts";
import { BootQueue } from "../boot-queue.ts";
import type { BootImage, BootImages } from "../catalogue.ts";
import { DhcpAnswers } from "../dhcp-answers.ts";
import { FirmwareLoad } from "../firmware-load.ts";
import type { LeaseWire } from "../leases/system-wire.ts";
import { NfsExports } from "../nfs-exports.ts";
import { RootKeeper } from "../root-keeper.ts";
import { TftpFiles } from "../tftp-files.ts";

/** Where waiting for the disk takes no time, if there is such a place. */
const FOLDER = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** Images as a test puts them there. Counts who holds them, and closes what it is told to. */
export class TestImages implements BootImages {
	readonly #builds = new Map<string, BootImage>();
	readonly holders = new Map<string, number>();
	/** The one that every device boots. */
	newest: BootImage | undefined;
	/** Whether there is more to come. */
	importing = false;

	isImporting(): boolean {
		return this.importing;
	}

	choose(imageId: string | null): BootImage | undefined {
		return imageId === null || imageId === this.newest?.imageId ? this.newest : undefined;
	}

	build(buildId: string): BootImage | undefined {
		return this.#builds.get(buildId);
	}

	hold(buildId: string): void {
		this.holders.set(buildId, (this.holders.get(buildId) ?? 0) + 1);
	}

	release(buildId: string): void {
		this.holders.set(buildId, (this.holders.get(buildId) ?? 0) - 1);
	}

	put(image: BootImage): void {
		this.newest = image;
		this.#builds.set(image.build.id, image);
	}

	/** As when the last one who held it has gone. */
	lose(buildId: string): void {
		this.#builds.delete(buildId);
		if (this.newest?.build.id === buildId) this.newest = undefined;
	}

	async close(): Promise<void> {
		for (const { build } of this.#builds.values()) await build.close();
	}
}

const templates = mkdtempSync(join(FOLDER, "boot-images-"));
process.once("exit", () => rmSync(templates, { recursive: true }));

/** Makes an image in a folder; those that are alike are made once by the real tools, and copied. */
function makeImage(folder: string, { name = "pi.img", ...content }: PiImageOptions): string {
	const key = `${createHash("sha256").update(JSON.stringify(content)).digest("hex")}.img`;
	if (!existsSync(join(templates, key))) makePiImage(templates, { ...content, name: key });
	copyFileSync(join(templates, key), join(folder, name));
	return join(folder, name);
}

/** Makes an image and opens it. */
export async function openImage(folder: string, options: PiImageOptions = {}): Promise<BootImage> {
	const build = await ImageBuild.open(makeImage(folder, options));
	const facts = await whenReady(() => {
		const { table, bootMount, boot, root } = build.trees();
		return inspectImage({ table, bootMount, boot: boot?.tree, root: root?.tree });
	});
	return { imageId: "pi", build, facts };
}

export interface Client {
	readonly address: string;
	readonly port: number;
	/** The server's address that it asked. */
	readonly served: string;
	readonly connection: object;
}

/** A connection of its own, from a port that only root may take. */
export function clientAt(address: string): Client {
	return { address, port: 700, served: "192.0.2.1", connection: {} };
}

/** A wire on which the given machines are. */
export class TestWire implements LeaseWire {
	/** MAC addresses by address. */
	readonly machines = new Map<string, string>();
	/** Undefined where the kernel may not be told. */
	told: Neighbour[] | undefined = [];

	async findHolder(address: string, mac: string): Promise<AddressHolder> {
		const found = this.machines.get(address);
		return found === undefined || found === mac ? undefined : { mac: found };
	}

	/** Addresses from which somebody fetches files, with his MAC address. */
	readonly held = new Map<string, string>();

	async tellNeighbour(neighbour: Neighbour): Promise<Told> {
		const { address, mac } = neighbour;
		if ((this.held.get(address) ?? mac) !== mac) return "held";
		this.told?.push(neighbour);
		return this.told === undefined ? "refused" : "told";
	}
}

export class Site {
	readonly clock = new ManualClock();
	readonly folder: string;
	readonly images = new TestImages();
	/** What the neighbour table has. */
	readonly neighbours = new Map<string, string>();
	/** What is there when an address is looked for on the wire, and who was told to the kernel. */
	readonly wire = new TestWire();
	authorizedKeys: readonly string[] = [];
	store: Store;
	registry: DeviceRegistry;
	roots: RootKeeper;
	nfs: NfsExports;
	tftp: TftpFiles;
	dhcp: DhcpAnswers;
	readonly #handles = new HandleCodec(Buffer.alloc(32, 7));
	readonly #log: Logger;

	private constructor(folder: string, store: Store, log: Logger) {
		this.folder = folder;
		this.store = store;
		this.#log = log;
		mkdirSync(this.rootsFolder);
		this.registry = this.#newRegistry();
		[this.roots, this.nfs, this.tftp, this.dhcp] = this.#newRooms();
	}

	/** With the image of `options`, unless that is `null`. */
	static async open(options: PiImageOptions | null = {}, log: Logger = silentLogger): Promise<Site> {
		const folder = mkdtempSync(join(FOLDER, "boot-"));
		const site = new Site(folder, await openStore(join(folder, "netboot.db")), log);
		await site.registry.start();
		if (options !== null) site.images.put(await openImage(folder, options));
		return site;
	}

	get rootsFolder(): string {
		return join(this.folder, "roots");
	}

	#newRegistry(): DeviceRegistry {
		return new DeviceRegistry({
			store: this.store,
			clock: this.clock,
			log: silentLogger,
			imageExists: () => true,
			surroundings: () => ({ dhcpMode: "proxy", otherDhcpServers: ["192.0.2.1"] }),
		});
	}

	#newRooms(): [RootKeeper, NfsExports, TftpFiles, DhcpAnswers] {
		const { registry, images, clock, store } = this;
		const common = { registry, images, clock, log: this.#log, macOf: async (at: string) => this.neighbours.get(at) };
		const roots = new RootKeeper({
			...common,
			store,
			folder: this.rootsFolder,
			handles: this.#handles,
			authorizedKeys: async () => this.authorizedKeys,
			agent: { httpPort: () => 38434, settings: {} },
		});
		const nfs = new NfsExports({ ...common, roots, handles: this.#handles });
		const load = new FirmwareLoad(clock);
		const queue = new BootQueue(clock, load);
		const tftp = new TftpFiles({ ...common, roots, queue, load, nfsPort: () => 2049 });
		const dhcp = new DhcpAnswers({ ...common, leases: store.leases, queue, wire: this.wire });
		return [roots, nfs, tftp, dhcp];
	}

	/** Stops the server and starts it again on the same data; the images stay open. */
	async restart(): Promise<void> {
		await this.roots.stop();
		await this.registry.stop();
		await this.store.close();
		this.store = await openStore(join(this.folder, "netboot.db"));
		this.registry = this.#newRegistry();
		await this.registry.start();
		[this.roots, this.nfs, this.tftp, this.dhcp] = this.#newRooms();
		await this.dhcp.start();
	}

	/** A Pi 4 whose address is proved. */
	pi(number = 1): { device: Device; client: Client } {
		const digits = number.toString(16).padStart(6, "0");
		const mac = `dc:a6:32:${digits.replaceAll(/(..)(?=.)/g, "$1:")}`;
		const device = this.registry.sawFirmware({ mac, client: eeprom(0xc03112, `e0${digits}`), message: "discover" });
		if (device === undefined) throw new Error("the registry is full");
		const client = clientAt(`192.0.2.${20 + number}`);
		this.neighbours.set(client.address, mac);
		return { device, client };
	}

	/** Fetches a boot file whole; undefined when there is none. */
	async fetch(name: string, client: Client): Promise<Buffer | undefined> {
		const file = await this.tftp.open(name, client);
		if (file === undefined) return undefined;
		const pieces: Uint8Array[] = [];
		for (let at = 0; at < file.size; ) {
			const piece = await file.read(at, file.size - at);
			pieces.push(piece);
			at += piece.length;
		}
		file.close();
		this.tftp.ended(name, client, "complete", file.size, file.size);
		return Buffer.concat(pieces);
	}

	/** Asks for the command line, and gives the export path in it. */
	async begin(device: Device, client: Client): Promise<string> {
		const line = await this.fetch(`${device.serial}/cmdline.txt`, client);
		const path = /nfsroot=192\.0\.2\.1:([^,]+),/.exec(line?.toString() ?? "")?.[1];
		if (path === undefined) throw new Error(`no export path in ${line?.toString()}`);
		return path;
	}

	/** Begins a boot and mounts its root. */
	async boot(device: Device, client: Client): Promise<Buffer> {
		return this.nfs.mount(await this.begin(device, client), client);
	}

	/** What a handle leads to, once it is open. */
	resolve(handle: Buffer, client: Client) {
		return whenReady(() => this.nfs.resolve(handle, client));
	}

	/** Writes a file in the top directory of a root. */
	async write(handle: Buffer, name: string, client: Client): Promise<void> {
		const { export: exported, node } = await this.resolve(handle, client);
		const file = { mode: 0o644, uid: 0, gid: 0 };
		await whenReady(() => exported.transaction(() => node.tree.create(node.ino, name, file)));
	}

	/** Whether there is a file of this name in the top directory of a root. */
	async has(handle: Buffer, name: string, client: Client): Promise<boolean> {
		const { node } = await this.resolve(handle, client);
		const names: string[] = [];
		await whenReady(() => node.tree.readdir(node.ino, 0, (entry) => names.push(entry.name) > 0));
		return names.includes(name);
	}

	/** Lets time pass, and the keeper look. */
	async pass(milliseconds: number): Promise<void> {
		this.clock.advance(milliseconds);
		await this.roots.sweep();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.roots.stop();
		await this.registry.stop();
		await this.store.close();
		await this.images.close();
		rmSync(this.folder, { recursive: true });
	}
}
