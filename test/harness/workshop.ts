/** A lab with a home router, a folder with a small image, and the program as a person runs it there: `serve` and the other commands. */
import assert from "node:assert/strict";
import { chownSync, mkdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Health, ImageList } from "@pi-netboot/api";
import { Api, type Refusal } from "./api.ts";
import { Background, type Finished, must, run } from "./command.ts";
import { eventually } from "./eventually.ts";
import { Lab } from "./lab.ts";
import { Router } from "./router.ts";
import { makeSmallImage } from "./small-image.ts";

const PROGRAM = fileURLToPath(new URL("../../server/bin/pi-netboot.mjs", import.meta.url));

/** The program, as the beginning of a command. */
export const PI_NETBOOT: readonly string[] = [process.execPath, PROGRAM];

const NOBODY = 65534;

/** What runs a command as an ordinary user without any rights. */
export const AS_NOBODY = [
	...["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--bounding-set=-all"],
] as const;

/** A server that runs. */
export interface Serving {
	readonly data: string;
	/** Its output is standard output alone. */
	readonly program: Background;
	/** What it wrote to standard error. */
	log(): string;
	/** Runs a command of the program on the server's machine. */
	command(...words: string[]): Promise<Finished>;
	/** The JSON of a command that must succeed. */
	asks<T>(...words: string[]): Promise<T>;
	health(): Promise<Health>;
	/** Asks the API for what must not be refused, by its path below `/api/v1/`. @throws Refusal */
	api<T>(method: string, path: string, body?: unknown): Promise<T>;
	/** Asks for what must be refused. @throws Error when it is not. */
	refusal(method: string, path: string, body?: unknown): Promise<Refusal>;
}

export class Workshop {
	readonly lab: Lab;
	readonly folder: string;
	readonly images: string;
	readonly #router: Router;
	#places = 0;
	#running: Background[] = [];

	private constructor(lab: Lab, folder: string, router: Router) {
		this.lab = lab;
		this.folder = folder;
		this.images = join(folder, "images");
		this.#router = router;
	}

	static async open(): Promise<Workshop> {
		const folder = await mkdtemp(join(tmpdir(), "workshop-"));
		// An ordinary user reads the images and has a data folder in here.
		await must(["chmod", "755", folder]);
		mkdirSync(join(folder, "images"));
		makeSmallImage(join(folder, "images"), folder, { kernelBytes: 400_000 });
		const lab = await Lab.create();
		return new Workshop(lab, folder, await Router.start(lab));
	}

	/** A folder for a server's data. */
	newData(): string {
		const data = join(this.folder, `data-${++this.#places}`);
		mkdirSync(data);
		return data;
	}

	/** What runs until `stopAll`, the last to be ended first. */
	keep(program: Background): void {
		this.#running.push(program);
	}

	/** The flags of `serve` here. */
	serveFlags(data: string, flags: readonly string[] = ["--interface", "srv0"]): string[] {
		return ["serve", ...flags, "--images", this.images, "--data", data];
	}

	/**
	 * Starts `serve` on the server's machine, and waits until it has its image.
	 *
	 * @param as what goes before the command.
	 */
	async serve(as: readonly string[] = [], data = this.newData(), flags?: readonly string[]): Promise<Serving> {
		if (as.length > 0) chownSync(data, NOBODY, NOBODY);
		const logFile = `${data}.log`;
		const shell = ["sh", "-c", `exec "$@" 2>>${logFile}`, "sh", ...as, ...PI_NETBOOT, ...this.serveFlags(data, flags)];
		const program = new Background(this.lab.on("srv", shell), { environment: { HOME: data } });
		this.keep(program);
		await program.waitFor(/^ready \S+$/m, 30_000);
		await eventually("the image", () => this.#hasImage(data));
		const log = () => readFileSync(logFile, "utf8");
		return { data, program, log, ...this.#commands(as, data) };
	}

	async #hasImage(data: string): Promise<true | undefined> {
		const { images } = await this.#api(data).ask<ImageList>("GET", "images");
		return images.some(({ id, state }) => id === "small" && state === "ready") ? true : undefined;
	}

	#api(data: string): Api {
		const token = readFileSync(join(data, "token"), "utf8").trim();
		return new Api((command) => this.lab.on("srv", command), "http://127.0.0.1:38434/api/v1/", token);
	}

	async #health(): Promise<Health> {
		const words = ["curl", "-sS", "-m", "10", "http://127.0.0.1:38434/api/v1/health"];
		return JSON.parse(await must(this.lab.on("srv", words)));
	}

	#commands(as: readonly string[], data: string): Pick<Serving, "command" | "asks" | "health" | "api" | "refusal"> {
		const command = (...words: string[]) =>
			run(this.lab.on("srv", [...as, ...PI_NETBOOT, ...words, "--data", data]), { timeout: 60_000 });
		return {
			command,
			async asks<T>(...words: string[]) {
				const { status, stdout, stderr } = await command(...words, "--json");
				assert.equal(status, 0, stderr);
				return JSON.parse(stdout) as T;
			},
			api: (method, path, body) => this.#api(data).ask(method, path, body),
			refusal: (method, path, body) => this.#api(data).refusal(method, path, body),
			health: () => this.#health(),
		};
	}

	/** Ends what runs. */
	async stopAll(): Promise<void> {
		for (const program of this.#running.splice(0).reverse()) await program.stop();
	}

	async close(): Promise<void> {
		try {
			await this.stopAll();
			await this.#router.stop();
		} finally {
			await this.lab.remove();
			await rm(this.folder, { recursive: true });
		}
	}
}
