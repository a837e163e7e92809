/** What a name in a read request leads to: whose it is, that device's boot files, and the beginning of a boot. */
import { errorText, type Logger, whenReady } from "../base/index.ts";
import type { BootFileOwner, Device, DeviceRegistry } from "../devices/index.ts";
import {
	GIVE_UP_AFTER,
	normaliseName,
	type TftpClient,
	type TftpFile,
	type TftpOutcome,
	type TftpPort,
} from "../wire/tftp/index.ts";
import { type DeviceConfig, deviceConfig, findBootFile } from "./boot-files.ts";
import { BootPieces, isOfImage, readPiece } from "./boot-pieces.ts";
import type { BootQueue } from "./boot-queue.ts";
import { type BootImages, type Choice, chooseBoot } from "./catalogue.ts";
import { netbootCmdline } from "./cmdline.ts";
import { netbootConfig } from "./config-txt.ts";
import type { FirmwareLoad } from "./firmware-load.ts";
import { exportPath } from "./nfs-exports.ts";
import { PrefixStrings } from "./prefix-strings.ts";
import { isPrivate } from "./private-files.ts";
import type { BootVolume, RootKeeper } from "./root-keeper.ts";
import { Said } from "./said.ts";

export interface TftpFilesOptions {
	readonly registry: DeviceRegistry;
	readonly roots: RootKeeper;
	readonly images: BootImages;
	/** The MAC behind an address of the LAN, when the system knows it. */
	readonly macOf: (address: string) => Promise<string | undefined>;
	readonly nfsPort: () => number;
	/** Who waits to begin, and how quickly those get on who have begun. */
	readonly queue: BootQueue;
	readonly load: FirmwareLoad;
	readonly log: Logger;
}

/** A request whose device and files are known. */
interface Request {
	readonly device: Device;
	readonly client: TftpClient;
	readonly owner: BootFileOwner;
	/** The name without the string of the Pi's owner, where it has one. */
	readonly plain: string | undefined;
	readonly choice: Choice;
	readonly volume: BootVolume;
}

/** A file that is sent, and whether it is read from the boot volume while it is sent. */
interface Opened {
	readonly kind: "stored" | "made";
	readonly file: TftpFile;
}

const NO_CONFIG: DeviceConfig = {
	config: { kernel: undefined, initramfs: [], cmdline: "", deviceTree: undefined, osPrefix: "", files: [] },
	skipInitramfs: false,
	initramfs: false,
};

/** What a firmware asks for first, and never again once it has the command line. */
const BEGINS = /^(bootcode\.bin|start4?\.elf|config\.txt|tryboot\.txt)$/i;

/** Files that the boot ROM of a Pi 3 asks for before it says who it is. */
const ANONYMOUS = /^(bootcode\.bin|bootsig\.bin)$/i;

export class TftpFiles implements TftpPort {
	readonly #options: TftpFilesOptions;
	/** A boot asks for twenty files, and a Pi that cannot boot begins again and again. */
	readonly #said = new Said();
	readonly #pieces = new BootPieces();
	/** By device, the boot whose command line it got since it began to ask. */
	readonly #begun = new Map<number, string>();
	readonly #strings = new PrefixStrings();

	constructor(options: TftpFilesOptions) {
		this.#options = options;
	}

	async open(name: string, client: TftpClient): Promise<TftpFile | undefined> {
		const clean = normaliseName(name);
		if (clean === undefined) return undefined;
		const owner = await this.#owner(clean, client);
		const { device } = owner;
		if (device === undefined) {
			this.#sayUnknown(client.address, clean);
			return undefined;
		}
		if (device.intent === "disk" || device.intent === "ignore") return undefined;
		// What is asked for from anywhere else says nothing of this device's boot.
		const plain = owner.bound ? this.#strings.plain(device.key, owner.path) : undefined;
		const path = plain ?? owner.path;
		const file = await this.#find(device, client, owner, plain).catch((error: unknown) => {
			const unread = { kind: "tftp-end", path, outcome: "failed", bytes: 0, size: 0 } as const;
			if (owner.bound) this.#options.registry.fact(device, unread);
			throw error;
		});
		const found = file !== undefined;
		if (owner.bound) this.#options.registry.fact(device, { kind: "tftp-open", path, found });
		this.#options.log.debug({ device: device.id }, `${client.address} ${found ? "reads" : "finds no"} ${path}`);
		return file !== undefined && owner.bound ? this.#followed(device, path, file) : file;
	}

	/** Who is proved to be behind its address, and fetches more than what its ROM needs, has begun to boot. */
	#followed(device: Device, path: string, file: TftpFile): TftpFile {
		const { load, queue } = this.#options;
		const release = (offset: number) => file.release?.(offset);
		if (ANONYMOUS.test(path)) {
			const close = () => {
				queue.gotBootcode(device.key);
				file.close();
			};
			return { size: file.size, read: (offset, length) => file.read(offset, length), release, close };
		}
		queue.gotOn(device.key);
		const followed = load.opened(device.key, file.size);
		return {
			size: file.size,
			read(offset, length) {
				followed.read(offset);
				return file.read(offset, length);
			},
			release,
			close() {
				followed.close();
				file.close();
			},
		};
	}

	#sayUnknown(address: string, name: string): void {
		const sentence = "asks for boot files: no Raspberry Pi is known there";
		if (this.#said.isNew(address, sentence)) this.#options.log.info(`${address} ${sentence} (${name})`);
	}

	/** Who asks. The neighbour table is only read where the address is not proved to be the device's. */
	async #owner(name: string, client: TftpClient): Promise<BootFileOwner> {
		const { registry, macOf } = this.#options;
		const { address, mac } = client;
		const owner = registry.sawBootFile({ address, neighbour: mac, name });
		if (owner.bound) return owner;
		const neighbour = await macOf(address);
		return neighbour === undefined ? owner : registry.sawBootFile({ address, neighbour, name });
	}

	async #find(
		device: Device,
		client: TftpClient,
		owner: BootFileOwner,
		plain: string | undefined,
	): Promise<TftpFile | undefined> {
		const { roots, log } = this.#options;
		const choice = this.#choose(device, plain ?? owner.path, owner.bound);
		const sentence = choice === undefined ? "cannot boot: there is no image that is ready" : "";
		if (this.#said.isNew(device.mac, sentence) && sentence !== "") log.warn({ device: device.id }, sentence);
		const volume = choice && (await roots.bootVolume(device, choice, choice.mode));
		if (choice === undefined || volume === undefined) return undefined;
		// Whoever reads a file of the volume keeps it open until the transfer is over; all others have read what they need.
		let isRead = false;
		try {
			const file = await this.#open({ device, client, owner, plain, choice, volume });
			isRead = file?.kind === "stored";
			return file?.file;
		} finally {
			if (!isRead) volume.release();
			if (owner.bound) this.#openRoot(device);
		}
	}

	/** The root of a boot is opened before it is asked for: from then on its image stays, and the mount is quick. */
	#openRoot(device: Device): void {
		const { registry, roots, log } = this.#options;
		const boot = registry.boot(this.#begun.get(device.key) ?? "");
		if (boot === undefined || boot.mountedAt !== null) return;
		roots.openFor(boot).catch((error: unknown) => {
			log.warn({ device: device.id }, `its root cannot be opened: ${errorText(error)}`);
		});
	}

	/** Behind its command line a device gets the files of the image that is named there, also when it is replaced meanwhile. */
	#choose(device: Device, path: string, bound: boolean): Choice | undefined {
		const { images, registry } = this.#options;
		if (bound && BEGINS.test(path)) this.#begun.delete(device.key);
		const boot = registry.boot(this.#begun.get(device.key) ?? "");
		const image = boot?.mountedAt === null ? images.build(boot.buildId) : undefined;
		if (boot === undefined || image === undefined) return chooseBoot(device, images, registry);
		return { ...image, mode: boot.mode };
	}

	async #open(request: Request): Promise<Opened | undefined> {
		const { device, owner, plain, choice, volume } = request;
		const isAnonymous = ANONYMOUS.test(plain ?? owner.path);
		const config = isAnonymous ? NO_CONFIG : await whenReady(() => deviceConfig(device, volume.tree, choice));
		// A folder of that name in the image is meant first.
		const find = (path: string | undefined) =>
			path === undefined ? undefined : findBootFile(volume.tree, path, config);
		const found = await whenReady(() => find(owner.path) ?? find(plain));
		switch (found?.kind) {
			case undefined:
				return undefined;
			case "file":
				if (!owner.bound && (await whenReady(() => isPrivate(volume.tree, found.ino)))) return undefined;
				return { kind: "stored", file: await this.#stored(request, found.ino, found.size) };
			case "config":
				return { kind: "made", file: made(netbootConfig(found.text, { skipInitramfs: config.skipInitramfs })) };
			case "cmdline":
				return this.#cmdline(found.text, config, request);
		}
	}

	/** A file of the boot volume, which stays open until the transfer is over. */
	async #stored({ choice, volume }: Request, ino: number, size: number): Promise<TftpFile> {
		const { build } = choice;
		const image = build.trees().boot?.tree;
		if (image === undefined || !(await whenReady(() => isOfImage(ino, volume.tree, image)))) {
			const read = (offset: number, length: number) =>
				whenReady(() => readPiece(volume.tree, ino, offset, Buffer.allocUnsafeSlow(length)));
			return { size, read, close: () => volume.release() };
		}
		const { read, release, close } = this.#pieces.open(build.id, image, ino);
		return {
			...{ size, read, release },
			close() {
				close();
				volume.release();
			},
		};
	}

	/**
	 * "A boot begins when cmdline.txt is served to its device." The export path in it is a secret: it goes to an address
	 * that is proved to be the device's, and to no other.
	 */
	async #cmdline(original: string, config: DeviceConfig, request: Request): Promise<Opened | undefined> {
		const { device, client, owner, choice } = request;
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
		// Our address as this Pi reaches it, whatever else we have.
		const server = client.served;
		const layer = roots.layerMaker(device, choice, mode);
		const { boot, fresh } = await registry.beginBoot(device, { imageId, buildId: build.id, mode, server }, layer);
		this.#begun.set(device.key, boot.id);
		this.#options.load.gotCmdline(device.key);
		if (fresh) log.info({ device: device.id }, `${device.name} boots ${imageId} (${mode}) from ${client.address}`);
		const nfsPort = this.#options.nfsPort();
		const line = netbootCmdline(original, {
			serverIp: server,
			exportPath: exportPath(device.id, boot),
			mode: mode === "read-only" ? "ro" : "rw",
			initramfs: config.initramfs,
			wifiCountry: registry.customisationOf(device).wifiCountry,
			nfsPort,
			mountPort: nfsPort,
		});
		return { kind: "made", file: made(line) };
	}

	ended(name: string, client: TftpClient, outcome: TftpOutcome, bytes: number, size: number): void {
		const clean = normaliseName(name);
		if (clean === undefined) return;
		const owner = this.#options.registry.sawBootFile({ address: client.address, name: clean });
		const { device } = owner;
		if (device === undefined || !owner.bound) return;
		const path = this.#strings.plain(device.key, owner.path) ?? owner.path;
		const silence = outcome === "timeout" ? { silentMs: GIVE_UP_AFTER } : {};
		this.#options.registry.fact(device, { kind: "tftp-end", path, outcome, bytes, size, ...silence });
		if (outcome === "probe" || outcome === "complete") return;
		this.#options.log.warn({ device: device.id }, `${path}: ${outcome} after ${bytes} of ${size} bytes`);
	}
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
