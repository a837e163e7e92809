/** What a name in a read request leads to: whose it is, that device's boot files, and the beginning of a boot. */
import { FileError, type Logger, whenReady } from "../base/index.ts";
import type { BootFileOwner, Device, DeviceRegistry } from "../devices/index.ts";
import type { FileTree } from "../vfs/index.ts";
import { normaliseName, type TftpClient, type TftpFile, type TftpOutcome, type TftpPort } from "../wire/tftp/index.ts";
import { type BootFile, type DeviceConfig, deviceConfig, findBootFile } from "./boot-files.ts";
import { type BootImages, type Choice, chooseBoot } from "./catalogue.ts";
import { netbootCmdline } from "./cmdline.ts";
import { netbootConfig } from "./config-txt.ts";
import { exportPath } from "./nfs-exports.ts";
import type { RootKeeper } from "./root-keeper.ts";

export interface TftpFilesOptions {
	readonly registry: DeviceRegistry;
	readonly roots: RootKeeper;
	readonly images: BootImages;
	/** The MAC behind an address of the LAN, when the system knows it. */
	readonly macOf: (address: string) => Promise<string | undefined>;
	/** Our address as this client reaches it. */
	readonly serverAddress: (client: string) => string;
	readonly nfsPort: () => number;
	readonly log: Logger;
}

/** A request whose device and files are known. */
interface Request {
	readonly device: Device;
	readonly client: TftpClient;
	readonly owner: BootFileOwner;
	readonly choice: Choice;
	readonly volume: FileTree;
	readonly config: DeviceConfig;
}

/** Files that the boot ROM of a Pi 3 asks for before it says who it is. */
const ANONYMOUS = /^(bootcode\.bin|bootsig\.bin)$/i;

export class TftpFiles implements TftpPort {
	readonly #options: TftpFilesOptions;

	constructor(options: TftpFilesOptions) {
		this.#options = options;
	}

	async open(name: string, client: TftpClient): Promise<TftpFile | undefined> {
		const clean = normaliseName(name);
		if (clean === undefined) return undefined;
		const owner = await this.#owner(clean, client);
		const { device, path } = owner;
		if (device === undefined) {
			this.#options.log.info(`${client.address} asks for ${clean}: no Raspberry Pi is known there`);
			return undefined;
		}
		if (device.intent === "disk" || device.intent === "ignore") return undefined;
		const file = await this.#find(device, client, owner);
		this.#options.registry.fact(device, { kind: "tftp-open", path, found: file !== undefined });
		this.#options.log.debug({ device: device.id }, `${file === undefined ? "has no" : "reads"} ${path}`);
		return file;
	}

	/** Who asks. The neighbour table is only read where the address is not proved to be the device's. */
	async #owner(name: string, client: TftpClient): Promise<BootFileOwner> {
		const { registry, macOf } = this.#options;
		const owner = registry.sawBootFile({ address: client.address, name });
		if (owner.bound) return owner;
		const neighbour = await macOf(client.address);
		return neighbour === undefined ? owner : registry.sawBootFile({ address: client.address, neighbour, name });
	}

	async #find(device: Device, client: TftpClient, owner: BootFileOwner): Promise<TftpFile | undefined> {
		const { images, registry, roots, log } = this.#options;
		const choice = chooseBoot(device, images, registry);
		if (choice === undefined) {
			log.warn({ device: device.id }, "cannot boot: there is no image that is ready");
			return undefined;
		}
		const volume = await roots.bootVolume(device, choice, choice.mode);
		if (volume === undefined) return undefined;
		if (ANONYMOUS.test(owner.path)) return this.#plain(volume, owner.path, choice);
		const config = await whenReady(() => deviceConfig(device, volume, choice));
		const found = await whenReady(() => findBootFile(volume, owner.path, config));
		return found && this.#serve(found, { device, client, owner, choice, volume, config });
	}

	async #plain(volume: FileTree, path: string, choice: Choice): Promise<TftpFile | undefined> {
		const nothing: DeviceConfig = {
			config: { kernel: undefined, initramfs: [], cmdline: "", deviceTree: undefined, osPrefix: "", files: [] },
			skipInitramfs: false,
			initramfs: false,
		};
		const found = await whenReady(() => findBootFile(volume, path, nothing));
		return found?.kind === "file" ? this.#stored(volume, found.ino, found.size, choice) : undefined;
	}

	#serve(found: BootFile, request: Request): Promise<TftpFile | undefined> | TftpFile {
		switch (found.kind) {
			case "file":
				return this.#stored(request.volume, found.ino, found.size, request.choice);
			case "config":
				return made(netbootConfig(found.text, { skipInitramfs: request.config.skipInitramfs }));
			case "cmdline":
				return this.#cmdline(found.text, request);
		}
	}

	/** A file of the boot volume. Its build stays open until the transfer is over. */
	#stored(volume: FileTree, ino: number, size: number, { build }: Choice): TftpFile {
		const { images } = this.#options;
		images.hold(build.id);
		let isOpen = true;
		return {
			size,
			read: (offset, length) => whenReady(() => readPiece(volume, ino, offset, length)),
			close() {
				if (isOpen) images.release(build.id);
				isOpen = false;
			},
		};
	}

	/**
	 * "A boot begins when cmdline.txt is served to its device." The export path in it is a secret: it goes to an address
	 * that is proved to be the device's, and to no other.
	 */
	async #cmdline(original: string, request: Request): Promise<TftpFile | undefined> {
		const { device, client, owner, choice, config } = request;
		const { registry, roots, log } = this.#options;
		if (!owner.bound) {
			registry.fact(device, { kind: "cmdline-refused", address: client.address });
			log.warn(
				{ device: device.id },
				`${client.address} asks for its command line, but is not proved to be its address`,
			);
			return undefined;
		}
		const { imageId, build, mode } = choice;
		const layer = roots.layerMaker(device, choice, mode);
		const { boot, fresh } = await registry.beginBoot(device, { imageId, buildId: build.id, mode }, layer);
		if (fresh) log.info({ device: device.id }, `${device.name} boots ${imageId} (${mode}) from ${client.address}`);
		const nfsPort = this.#options.nfsPort();
		return made(
			netbootCmdline(original, {
				serverIp: this.#options.serverAddress(client.address),
				exportPath: exportPath(device.id, boot),
				mode: mode === "read-only" ? "ro" : "rw",
				initramfs: config.initramfs,
				nfsPort,
				mountPort: nfsPort,
			}),
		);
	}

	ended(name: string, client: TftpClient, outcome: TftpOutcome, bytes: number, size: number): void {
		const clean = normaliseName(name);
		if (clean === undefined) return;
		const { device, path } = this.#options.registry.sawBootFile({ address: client.address, name: clean });
		if (device === undefined) return;
		this.#options.registry.fact(device, { kind: "tftp-end", path, outcome, bytes, size });
		if (outcome === "probe" || outcome === "complete") return;
		this.#options.log.warn({ device: device.id }, `${path}: ${outcome} after ${bytes} of ${size} bytes`);
	}
}

/** @throws BlockFault; FileError EIO when the file has become shorter. */
function readPiece(tree: FileTree, ino: number, offset: number, length: number): Uint8Array {
	const piece = Buffer.allocUnsafe(length);
	const bytes = tree.read(ino, offset, piece);
	if (bytes === 0) throw new FileError("EIO", `the file ends at ${offset}`);
	return piece.subarray(0, bytes);
}

/** A file that was made for this request. */
function made(text: string): TftpFile {
	const content = Buffer.from(text, "latin1");
	return {
		size: content.length,
		read: async (offset, length) => content.subarray(offset, offset + length),
		close() {},
	};
}
