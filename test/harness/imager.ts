/** The agent as it runs on a Pi, here on this machine's own disks: only loop devices, which it is told to take. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SECRET } from "./agent-server.ts";
import { Background, run } from "./command.ts";

export const AGENT = fileURLToPath(new URL("../../agent/netboot-imager-service.py", import.meta.url));

export const TOKEN = "the token of config.json";

export interface ImagerOptions {
	/** Address of the server; missing: it has none. */
	readonly server?: string;
	readonly config?: Readonly<Record<string, unknown>>;
	/** What goes before the command. */
	readonly as?: readonly string[];
}

let count = 0;

/** A folder with a `reboot` that only says so: the agent does what a server asks, and this machine is no Pi. */
function harmless(folder: string): string {
	const place = join(folder, "harmless");
	mkdirSync(place, { recursive: true });
	writeFileSync(join(place, "reboot"), "#!/bin/sh\necho would reboot now\n", { mode: 0o755 });
	return place;
}

export class Imager {
	readonly program: Background;
	readonly port: number;

	private constructor(program: Background, port: number) {
		this.program = program;
		this.port = port;
	}

	static async start(folder: string, options: ImagerOptions = {}): Promise<Imager> {
		const path = join(folder, `config-${++count}.json`);
		const config = {
			allowed_ips: ["127.0.0.0/8"],
			shared_secret: TOKEN,
			port: 0,
			agent_id: "7bf18f79",
			secret: SECRET,
			devices: "/dev/loop\\d+",
			timeout_seconds: 10,
			patience_seconds: 20,
			...(options.server !== undefined && { server: options.server }),
			...options.config,
		};
		writeFileSync(path, JSON.stringify(config));
		const program = new Background([...(options.as ?? []), "python3", AGENT, "--config", path], {
			environment: { PATH: `${harmless(folder)}:${process.env.PATH}` },
		});
		const match = await program.waitFor(/listening on port (\d+)/, 20_000);
		return new Imager(program, Number(match[1]));
	}

	/** The most memory that it ever had, in bytes. */
	get peakMemory(): number {
		const status = readFileSync(`/proc/${this.program.process.pid}/status`, "utf8");
		return 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]);
	}

	/** Asks port 8888 as curl does. */
	async ask(path: string, ...words: string[]): Promise<{ status: number; body: Record<string, unknown> }> {
		const url = `http://127.0.0.1:${this.port}${path}`;
		const { stdout } = await run(["curl", "-sS", "-m", "20", "-w", "\n%{http_code}", ...words, url]);
		const [body = "{}", status = "0"] = stdout.split(/\n(?=\d+$)/);
		return { status: Number(status), body: JSON.parse(body) };
	}

	/** The curl line of the predecessor's README. */
	writeImage(device: string, url: string, token = TOKEN): Promise<{ status: number; body: Record<string, unknown> }> {
		const body = JSON.stringify({ device, image_url: url, netboot_ip: "127.0.0.1" });
		const headers = ["-H", `X-Netboot-Token: ${token}`, "-H", "Content-Type: application/json"];
		return this.ask("/write-image", "-X", "POST", ...headers, "-d", body);
	}

	status(): Promise<{ status: number; body: Record<string, unknown> }> {
		return this.ask("/status", "-H", `X-Netboot-Token: ${TOKEN}`);
	}

	async stop(): Promise<void> {
		await this.program.stop("SIGKILL");
	}
}
