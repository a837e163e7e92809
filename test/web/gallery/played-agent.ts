/**
 * The agent of a virtual Pi, as far as the server sees one: it says what is in its Pi and reports on writes, signed as the real
 * one does, and touches no disk.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type AgentEvent, type AgentInventory, AgentNextAnswer, type Write } from "@pi-netboot/api";
import { signRequest } from "../../../server/src/writes/index.ts";
import { run } from "../../harness/command.ts";
import { type Lab, SERVER_ADDRESS } from "../../harness/lab.ts";
import type { Part } from "./cast.ts";

interface AgentParts {
	readonly lab: Lab;
	/** Of the lab, with the Pi's address. */
	readonly host: string;
	readonly id: string;
	readonly secret: string;
	readonly part: Part;
	/** What the server knows of a write. */
	readonly look: (job: string) => Promise<Write>;
}

type Progress = Pick<AgentEvent, "stage" | "percent" | "bytesDone" | "verifiedBytes" | "error">;

const BROKEN: AgentEvent["error"] = {
	code: "disk-error",
	message:
		"/dev/mmcblk0 failed to write at byte 2684354560: Input/output error. The disk is broken or loose; try another.",
	offset: 2_684_354_560,
	errno: "EIO",
};

/** What curl says where the server did not take it. Of anything else it was away, or about to end. */
const REFUSED = /error: 4\d\d/;

/** Milliseconds until it is asked again. */
const PATIENCE = 500;

export class PlayedAgent {
	readonly #parts: AgentParts;
	#isOver = false;
	#seq = 0;

	constructor(parts: AgentParts) {
		this.#parts = parts;
	}

	/** Says who is there; from then on it waits for work, until it is stopped. */
	async start(inventory: AgentInventory): Promise<void> {
		await this.#post("hello", { protocol: 1, version: "1.0", inventory });
		void this.#work(inventory.temperature);
	}

	stop(): void {
		this.#isOver = true;
	}

	async #work(temperature: number): Promise<void> {
		while (!this.#isOver) {
			const { work } = AgentNextAnswer.parse(await this.#post("next", { wait: 5, temperature, throttled: "0x0" }));
			if (work?.kind === "write") await this.#play(await this.#parts.look(work.job));
		}
	}

	async #play({ id, bytesTotal: data, zeroBytes }: Write): Promise<void> {
		const { part } = this.#parts;
		const writing = (percent: number): Progress => {
			const bytesDone = Math.round((data * (percent - 10)) / 85);
			return { stage: "writing", percent, bytesDone, verifiedBytes: 0, error: null };
		};
		for (let percent = 12; percent < 50; percent += 6) {
			await this.#report(id, writing(percent));
			await sleep(300);
		}
		if (part === "written")
			await this.#report(id, { ...writing(95), stage: "complete", percent: 100, verifiedBytes: data + zeroBytes });
		if (part === "write-fails") await this.#report(id, { ...writing(47), stage: "failed", error: BROKEN });
		for (let percent = 50; part === "writes" && !this.#isOver; percent = Math.min(percent + 0.2, 90)) {
			await this.#report(id, writing(percent));
			await sleep(2000);
		}
	}

	async #report(job: string, progress: Progress): Promise<void> {
		const counts = { bytesTotal: 0, wireBytes: progress.bytesDone, zeroedBytes: 0, retries: 0, durable: null };
		await this.#post("events", { job, seq: ++this.#seq, device: "/dev/mmcblk0", ...counts, ...progress });
	}

	/** Again and again while the server is away, as the real one does. */
	async #post(verb: string, body: object): Promise<unknown> {
		while (!this.#isOver) {
			const command = this.#request(verb, JSON.stringify(body));
			const { status, stdout, stderr } = await run(command);
			if (status === 0) return JSON.parse(stdout);
			if (REFUSED.test(stderr)) throw new Error(`${verb} of ${this.#parts.host}: ${stderr}`);
			await sleep(PATIENCE);
		}
		return { work: null };
	}

	#request(verb: string, text: string): string[] {
		const { lab, host, id, secret } = this.#parts;
		const path = `/api/v1/agent/${verb}`;
		const [time, nonce] = [String(Date.now()), randomBytes(16).toString("hex")];
		const signature = signRequest(secret, { method: "POST", path, body: Buffer.from(text), time, nonce });
		const headers = { Agent: id, Time: time, Nonce: nonce, Signature: signature };
		const words = Object.entries(headers).flatMap(([name, value]) => ["-H", `X-Netboot-${name}: ${value}`]);
		const url = `http://${SERVER_ADDRESS}:38434${path}`;
		return lab.on(host, ["curl", "-sSf", "-m", "20", "-X", "POST", ...words, "-d", text, url]);
	}
}
