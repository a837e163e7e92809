/** What most tests of a boot begin with: a lab, a folder with images, mostly a home router, and the server. */
import { mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { Lab } from "./lab.ts";
import { Router, type RouterOptions } from "./router.ts";
import { Server } from "./server.ts";

/** How the server is started there. */
export interface ServeOptions {
	/** Images to wait for. */
	readonly images?: readonly string[];
	/** Further flags of `serve`. */
	readonly flags?: readonly string[];
	readonly logLevel?: string;
}

export class BootLab {
	readonly lab: Lab;
	/** Everything of this test is in it. */
	readonly folder: string;
	readonly images: string;
	#router: Router | undefined;
	#server: Server | undefined;
	readonly #ends: (() => Promise<unknown>)[] = [];

	private constructor(lab: Lab, folder: string) {
		this.lab = lab;
		this.folder = folder;
		this.images = join(folder, "images");
	}

	static async open(): Promise<BootLab> {
		const folder = await mkdtemp(join(tmpdir(), "boot-lab-"));
		mkdirSync(join(folder, "images"));
		return new BootLab(await Lab.create(), folder);
	}

	async startRouter(options: RouterOptions = {}): Promise<Router> {
		this.#router = await Router.start(this.lab, options);
		return this.#router;
	}

	/** Starts the server, and waits until it has the images. */
	async serve({ images = [], flags = [], logLevel = "info" }: ServeOptions = {}): Promise<Server> {
		const data = join(this.folder, "data");
		this.#server = await Server.start(this.lab, { images: this.images, data, flags, logLevel });
		for (const id of images) await this.#server.waitForImage(id);
		return this.#server;
	}

	get server(): Server {
		if (this.#server === undefined) throw new Error("the server was not started");
		return this.#server;
	}

	/** Ends the server without a warning, and starts another on the same data. */
	async killServer(): Promise<Server> {
		await this.server.kill();
		return this.restartServer();
	}

	/** Starts another on the data of one that was killed. */
	async restartServer(): Promise<Server> {
		this.#server = await this.server.restart();
		return this.#server;
	}

	/** Does this in the end, while the server and the network are still there; what was named last is done first. */
	atEnd(action: () => Promise<unknown>): void {
		this.#ends.unshift(action);
	}

	/** Takes everything away, also what a test that failed has left running. @throws what went wrong with it first. */
	async close(): Promise<void> {
		const server = () => this.#server?.stop();
		const router = () => this.#router?.stop();
		const folder = () => rm(this.folder, { recursive: true, force: true });
		const failures: unknown[] = [];
		for (const end of [...this.#ends, server, router, () => this.lab.remove(), folder]) {
			try {
				await end();
			} catch (error) {
				failures.push(error);
			}
		}
		if (failures.length > 0) throw failures[0];
	}
}

/**
 * A boot lab for the tests of this file, or of the suite that it is called in.
 *
 * @param skip why those tests are skipped, if they are. @param prepare fills it, before the first of them.
 * @returns what gives it, once they run.
 */
export function bootLab(skip: string | false, prepare: (lab: BootLab) => Promise<unknown>): () => BootLab {
	let made: BootLab | undefined;
	before(async () => {
		if (skip !== false) return;
		made = await BootLab.open();
		await prepare(made);
	});
	after(() => made?.close());
	return () => {
		if (made === undefined) throw new Error("the boot lab is not there yet");
		return made;
	};
}
