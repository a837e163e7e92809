/** A lab with our server in it, on folders of its own, and guests that use the root of a Pi. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetchCmdline, type PiOnCable, type Served } from "./export.ts";
import { Lab } from "./lab.ts";
import { Server } from "./server.ts";
import { Tiny, type TinyOptions, type TinyResult } from "./tiny.ts";

/** Our NFS server answers MOUNT too, so no portmapper has to be asked. */
export const MOUNT_OPTIONS = "port=2049,mountport=2049,mountproto=tcp";

export class Site {
	readonly lab: Lab;
	/** Everything of this site is in it, for what a test makes besides. */
	readonly folder: string;
	readonly images: string;
	readonly data: string;
	#server: Server | undefined;
	readonly #guests = new Set<Tiny>();

	private constructor(lab: Lab, folder: string) {
		this.lab = lab;
		this.folder = folder;
		this.images = join(folder, "images");
		this.data = join(folder, "data");
	}

	/** Makes the lab and the folders. The server is started by `serve`. */
	static async open(): Promise<Site> {
		const folder = await mkdtemp(join(tmpdir(), "site-"));
		const site = new Site(await Lab.create(), folder);
		await mkdir(site.images);
		await mkdir(site.data);
		return site;
	}

	/** Starts the server and waits until it has these images. */
	async serve(...imageIds: readonly string[]): Promise<void> {
		this.#server = await Server.start(this.lab, { images: this.images, data: this.data });
		for (const id of imageIds) await this.#server.waitForImage(id);
	}

	get server(): Server {
		if (this.#server === undefined) throw new Error("the server was not started");
		return this.#server;
	}

	/** Ends the server without a warning, and starts another on the same data. */
	async killServer(): Promise<void> {
		await this.server.kill();
		this.#server = await this.server.restart();
	}

	/** A boot of the Pi begins. */
	boot(pi: PiOnCable): Promise<Served> {
		return fetchCmdline(this.lab, pi);
	}

	/** Starts a guest as this Pi; its root is at $MNT. */
	async start(pi: PiOnCable, served: Served, script: string, options: TinyOptions = {}): Promise<Tiny> {
		const identity = { mac: pi.mac, address: `${pi.address}/24` };
		const root = { mount: served.exportPath, options: MOUNT_OPTIONS };
		const guest = await Tiny.start(this.lab, script, { ...root, ...identity, ...options });
		this.#guests.add(guest);
		return guest;
	}

	/** Runs a script as this Pi, with its root at $MNT. */
	async run(pi: PiOnCable, served: Served, script: string, options: TinyOptions = {}): Promise<TinyResult> {
		const guest = await this.start(pi, served, script, options);
		return guest.result();
	}

	/** Takes everything away, also what a test that failed has left running. */
	async close(): Promise<void> {
		try {
			for (const guest of this.#guests) await guest.stop();
			await this.#server?.stop();
		} finally {
			await this.lab.remove();
			await rm(this.folder, { recursive: true, force: true });
		}
	}
}

/** A Pi of the tests: the same number is the same Pi. @param number 1 to 99 */
export function piNumber(number: number): PiOnCable {
	const hex = number.toString(16).padStart(2, "0");
	return { mac: `dc:a6:32:00:00:${hex}`, address: `10.77.0.${100 + number}`, serial: `e0ff06${hex}` };
}

/** Fails with what the guest printed unless its script ended well. */
export function assertWell(result: TinyResult): void {
	if (result.status === 0) return;
	throw new Error(`the guest's script ended with ${result.status}:\n${result.output.slice(-6000)}\n${result.console}`);
}
