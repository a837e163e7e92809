/** The server as a user runs it, in the lab's server namespace. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Image } from "@pi-netboot/api";
import { Api, type Refusal } from "./api.ts";
import { Background, run } from "./command.ts";
import { type Lab, SERVER_ADDRESS } from "./lab.ts";

/** Where it is, for a browser and for programs. */
export const SITE = `http://${SERVER_ADDRESS}:38434`;
const PROGRAM = fileURLToPath(new URL("../../server/bin/pi-netboot.mjs", import.meta.url));

export interface ServerOptions {
	readonly images: string;
	readonly data: string;
	/** Further flags of `serve`. */
	readonly flags?: readonly string[];
	readonly logLevel?: string;
}

export class Server {
	readonly #lab: Lab;
	readonly #options: ServerOptions;
	readonly #program: Background;
	readonly #api: Api;

	private constructor(lab: Lab, options: ServerOptions, program: Background, token: string) {
		this.#lab = lab;
		this.#options = options;
		this.#program = program;
		this.#api = new Api((command) => lab.on("rtr", command), SITE, token);
	}

	/** Starts it and waits for its `ready` line. */
	static async start(lab: Lab, options: ServerOptions): Promise<Server> {
		const command = [PROGRAM, "serve", "--interface", "srv0"];
		command.push("--images", options.images, "--data", options.data, "--log-level", options.logLevel ?? "info");
		const program = new Background(lab.on("srv", [...command, ...(options.flags ?? [])]), {
			// The program says in its first line which flags its Node needs.
			environment: { HOME: options.data, PATH: `${dirname(process.execPath)}:${process.env.PATH}` },
		});
		await program.waitFor(/^ready http:\/\/\S+$/m, 30_000);
		const token = (await readFile(join(options.data, "token"), "utf8")).trim();
		return new Server(lab, options, program, token);
	}

	/** What it printed and logged. */
	get log(): string {
		return this.#program.output;
	}

	/** The link that its start printed, as another computer opens it: logs in, once. */
	get loginLink(): string {
		return `${SITE}/?code=${/^ready \S+\?code=(\S+)$/m.exec(this.log)?.[1] ?? ""}`;
	}

	get pid(): number {
		return this.#program.process.pid ?? 0;
	}

	waitForLog(pattern: RegExp, milliseconds: number): Promise<RegExpExecArray> {
		return this.#program.waitFor(pattern, milliseconds);
	}

	/** Asks the API from the router's machine for what must not be refused. @throws Refusal */
	api<T>(method: string, path: string, body?: unknown): Promise<T> {
		return this.#api.ask(method, path, body);
	}

	/** Asks for what must be refused. @throws Error when it is not. */
	refusal(method: string, path: string, body?: unknown): Promise<Refusal> {
		return this.#api.refusal(method, path, body);
	}

	/** What is at this path of the API; undefined when there is no such thing, or none yet. */
	find<T>(path: string): Promise<T | undefined> {
		return this.#api.find(path);
	}

	/** Waits until the library has an image that can be booted. */
	async waitForImage(id: string, milliseconds = 30_000): Promise<void> {
		const deadline = Date.now() + milliseconds;
		for (;;) {
			const image = await this.find<Image>(`/api/v1/images/${id}`);
			if (image?.state === "ready") return;
			if (Date.now() > deadline) throw new Error(`the image ${id} is not ready: ${JSON.stringify(image)}\n${this.log}`);
			await new Promise((resolve) => setTimeout(resolve, 250));
		}
	}

	/** Ends it as `systemctl stop` would. @returns its exit status. */
	stop(): Promise<number | null> {
		return this.#program.stop("SIGTERM");
	}

	/** Ends it as the kernel would, out of memory. */
	async kill(): Promise<void> {
		await run(["kill", "-9", String(this.pid)]);
		await this.#program.ended;
	}

	/** A new process on the same data. */
	restart(): Promise<Server> {
		return Server.start(this.#lab, this.#options);
	}
}
