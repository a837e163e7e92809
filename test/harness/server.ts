/** The server as a user runs it, in the lab's server namespace. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Background, must, run } from "./command.ts";
import { type Lab, SERVER_ADDRESS } from "./lab.ts";

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
	readonly #token: string;

	private constructor(lab: Lab, options: ServerOptions, program: Background, token: string) {
		this.#lab = lab;
		this.#options = options;
		this.#program = program;
		this.#token = token;
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

	get pid(): number {
		return this.#program.process.pid ?? 0;
	}

	waitForLog(pattern: RegExp, milliseconds: number): Promise<RegExpExecArray> {
		return this.#program.waitFor(pattern, milliseconds);
	}

	/** Asks the API, with `curl` in the router's namespace, and gives the JSON of the answer. */
	async api(method: string, path: string, body?: unknown): Promise<unknown> {
		const data = body === undefined ? [] : ["-H", "content-type: application/json", "-d", JSON.stringify(body)];
		const url = `http://${SERVER_ADDRESS}:38434${path}`;
		const command = [
			"curl",
			"-sS",
			"-m",
			"20",
			"-X",
			method,
			"-H",
			`authorization: Bearer ${this.#token}`,
			...data,
			url,
		];
		const text = await must(this.#lab.on("rtr", command));
		return text === "" ? undefined : JSON.parse(text);
	}

	/** Waits until the library has an image that can be booted. */
	async waitForImage(id: string, milliseconds = 30_000): Promise<void> {
		const deadline = Date.now() + milliseconds;
		for (;;) {
			const image = (await this.api("GET", `/api/v1/images/${id}`)) as { state?: string };
			if (image.state === "ready") return;
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
