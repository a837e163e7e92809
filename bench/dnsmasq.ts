/** dnsmasq, the peer: it serves a folder by TFTP, on a host of its own in the lab. */
import { Background, must } from "../test/harness/command.ts";
import type { Lab } from "../test/harness/lab.ts";

export const DNSMASQ_HOST = "peer";
export const DNSMASQ_ADDRESS = "10.77.0.2";

export class Dnsmasq {
	readonly #program: Background;
	readonly pid: number;

	private constructor(program: Background, pid: number) {
		this.#program = program;
		this.pid = pid;
	}

	static async start(lab: Lab, folder: string): Promise<Dnsmasq> {
		await must(lab.on(DNSMASQ_HOST, ["test", "-d", folder]));
		const flags = [
			"--port=0",
			"--no-resolv",
			"--no-hosts",
			"--conf-file=/dev/null",
			"--log-facility=-",
			"--tftp-max=400",
		];
		const serve = ["--enable-tftp", `--tftp-root=${folder}`, "--user=root", "--group=root", "--bind-interfaces"];
		const program = new Background(
			lab.on(DNSMASQ_HOST, ["dnsmasq", "-k", ...flags, ...serve, `--interface=${DNSMASQ_HOST}0`]),
		);
		await program.waitFor(/TFTP root is/, 10_000);
		// `ip netns exec` becomes the program that it starts.
		return new Dnsmasq(program, program.process.pid ?? 0);
	}

	async stop(): Promise<void> {
		await this.#program.stop("SIGKILL");
	}
}
