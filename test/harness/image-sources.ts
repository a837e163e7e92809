/** A server that is to bring images in, and a bad mirror that it brings them from. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Image } from "@pi-netboot/api";
import type { Refusal } from "./api.ts";
import { Background, must, run } from "./command.ts";
import { eventually } from "./eventually.ts";
import { Lab, ROUTER_ADDRESS } from "./lab.ts";
import { Server } from "./server.ts";
import { makeSmallImage } from "./small-image.ts";

const PROGRAM = fileURLToPath(new URL("../netns/mirror.ts", import.meta.url));
export const MIRROR = `http://${ROUTER_ADDRESS}:8080`;

export class ImageSources {
	readonly folder: string;
	readonly lab: Lab;
	/** `good.img.xz`, and its checksum. */
	readonly packed: string;
	readonly sha256: string;
	#mirror: Background | undefined;
	#server: Server | undefined;
	#mounts: string[] = [];

	private constructor(folder: string, lab: Lab) {
		this.folder = folder;
		this.lab = lab;
		this.packed = join(folder, "good.img.xz");
		this.sha256 = createHash("sha256").update(readFileSync(this.packed)).digest("hex");
	}

	/** Makes the image and the lab; the mirror begins when `prepare` has put there what it serves besides. */
	static async start(prepare: (folder: string, sha256: string) => unknown = () => {}): Promise<ImageSources> {
		const folder = await mkdtemp(join(tmpdir(), "sources-"));
		for (const name of ["images", "made"]) mkdirSync(join(folder, name));
		const { path } = makeSmallImage(join(folder, "made"), folder, { kernelBytes: 300_001 });
		await must(["sh", "-c", `xz -1 -c ${path} > ${folder}/good.img.xz`]);
		const sources = new ImageSources(folder, await Lab.create());
		await prepare(folder, sources.sha256);
		sources.#mirror = new Background(sources.lab.on("rtr", [process.execPath, PROGRAM, folder, ROUTER_ADDRESS]));
		await sources.#mirror.waitFor(/^listening$/m, 20_000);
		return sources;
	}

	async remove(): Promise<void> {
		await this.#server?.stop();
		await this.#mirror?.stop("SIGTERM");
		await this.lab.remove();
		for (const mount of this.#mounts) await run(["umount", mount]);
		await rm(this.folder, { recursive: true });
	}

	/** Starts the server. @param names of folders below ours. */
	async serve(flags: readonly string[] = [], { images = "images", data = "data" } = {}): Promise<void> {
		await this.#server?.stop();
		this.#server = await Server.start(this.lab, { images: this.at(images), data: this.at(data), flags });
	}

	/** Ends it without a warning, and starts it on the same data. */
	async killAndRestart(): Promise<void> {
		await this.server.kill();
		this.#server = await this.server.restart();
	}

	get server(): Server {
		if (this.#server === undefined) throw new Error("no server runs");
		return this.#server;
	}

	/** What the mirror was asked for. */
	get asked(): string {
		return this.#mirror?.output ?? "";
	}

	at(...names: string[]): string {
		return join(this.folder, ...names);
	}

	/** A small disk of its own at a folder of ours. */
	async mount(name: string, megabytes: number): Promise<void> {
		mkdirSync(this.at(name));
		await must(["mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", this.at(name)]);
		this.#mounts.push(this.at(name));
	}

	files(name = "images"): string[] {
		return readdirSync(this.at(name)).sort();
	}

	/** Has the server bring an image in. @throws Refusal */
	add(what: object): Promise<Image> {
		return this.server.api("POST", "/api/v1/images", what);
	}

	/** Why it does not. @throws Error when it does. */
	refused(what: object): Promise<Refusal> {
		return this.server.refusal("POST", "/api/v1/images", what);
	}

	get(id: string): Promise<Image> {
		return this.server.api("GET", `/api/v1/images/${id}`);
	}

	/** Waits until an image is no longer on its way. */
	settled(id: string, milliseconds = 30_000): Promise<Image> {
		const look = async () => {
			const image = await this.get(id);
			return image.state === "importing" ? undefined : image;
		};
		return eventually(`${id} to arrive`, look, milliseconds);
	}

	/** Downloads what cannot come; gives what is said of it, and takes that away. */
	async failed(url: string): Promise<string> {
		const { id } = await this.add({ url });
		const { state, findings } = await this.settled(id);
		if (state !== "broken") throw new Error(`${url} is ${state}`);
		await this.server.api("DELETE", `/api/v1/images/${id}`);
		return findings.map(({ message, fix }) => `${message} ${fix ?? ""}`).join();
	}
}
