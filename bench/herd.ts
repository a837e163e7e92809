/** A crowd of virtual Pis that is switched on at once, from 1 to 200: how much longer the last one boots than one alone. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { run } from "../test/harness/command.ts";
import { Lab } from "../test/harness/lab.ts";
import { Server } from "../test/harness/server.ts";
import { table } from "./compare.ts";
import { makeFixture, removeFixture } from "./fixture.ts";
import { forgetPeak, peakMegabytes } from "./load.ts";
import { stockBootFiles, stockRootFiles } from "./stock.ts";

const PROGRAM = fileURLToPath(new URL("../server/bin/pi-netboot.mjs", import.meta.url));
const MOST_MEGABYTES = 250;
const TICKS_PER_SECOND = 100;
/** Until the plugs are pulled. Two hundred with all that Raspberry Pi OS has take minutes on a small machine. */
const MOST_SECONDS = 900;

export interface HerdBenchOptions {
	readonly counts: readonly number[];
	readonly model: string;
	/** What the sizes of the boot files of Raspberry Pi OS are multiplied with. */
	readonly scale: number;
}

/** What `simulate --json` says of all of them. */
const schema = z.object({
	summary: z.object({
		booted: z.number(),
		seconds: z.object({ median: z.number(), percentile90: z.number(), longest: z.number() }),
		bytes: z.number(),
		failures: z.array(z.object({ reason: z.string(), count: z.number() })),
	}),
});

interface Boots {
	readonly count: number;
	readonly summary: z.infer<typeof schema>["summary"];
	/** Seconds that the server computed. */
	readonly cpu: number;
	readonly peak: number;
}

/** Prints the curve. The virtual Pis compute on the same processors as the server, and cost more than it does. */
export async function benchHerd({ counts, model, scale }: HerdBenchOptions): Promise<void> {
	const fixture = await makeFixture({ megabytes: 1, bootFiles: stockBootFiles(scale), rootFiles: stockRootFiles() });
	const lab = await Lab.create();
	try {
		const server = await Server.start(lab, { ...fixture, flags: ["--log-level", "warn"] });
		await server.waitForImage("bench");
		const all: Boots[] = [];
		for (const count of counts) all.push(await powerOn(lab, server, model, count));
		process.stdout.write(`${report(all)}\n`);
		await server.stop();
	} finally {
		await lab.remove();
		await removeFixture(fixture);
	}
}

async function powerOn(lab: Lab, server: Server, model: string, count: number): Promise<Boots> {
	await forgetPeak(server.pid);
	const before = await cpuSeconds(server.pid);
	const words = ["simulate", "--server", "127.0.0.1", "--model", model, "--count", String(count), "--json"];
	words.push("--seconds", String(MOST_SECONDS));
	const ports = ["--dhcp-port", "67", "--tftp-port", "69", "--nfs-port", "2049", "--portmap-port", "111"];
	const { stdout, stderr } = await run(lab.on("srv", [PROGRAM, ...words, ...ports]), {
		timeout: (MOST_SECONDS + 60) * 1000,
	});
	if (!stdout.startsWith("{")) throw new Error(`the virtual Pis did not boot: ${stdout}${stderr}`);
	const { summary } = schema.parse(JSON.parse(stdout));
	return {
		...{ count, summary },
		cpu: (await cpuSeconds(server.pid)) - before,
		peak: await peakMegabytes(server.pid),
	};
}

/** proc(5): fields 14 and 15 of `stat`, utime and stime, in clock ticks. */
async function cpuSeconds(pid: number): Promise<number> {
	const text = await readFile(`/proc/${pid}/stat`, "utf8");
	const [user, system] = text
		.slice(text.lastIndexOf(")") + 2)
		.split(" ")
		.slice(11, 13);
	return (Number(user) + Number(system)) / TICKS_PER_SECOND;
}

function report(all: readonly Boots[]): string {
	const alone = all[0]?.summary.seconds.longest ?? Number.NaN;
	const rows = all.map(({ count, summary, cpu, peak }) => {
		const { booted, seconds, bytes, failures } = summary;
		const { median, percentile90, longest } = seconds;
		const times = [median, percentile90, longest].map((value) => `${value.toFixed(2)} s`);
		return [
			...[
				String(count),
				booted === count
					? "all"
					: `${booted}: ${failures.map(({ reason, count: many }) => `${many} x ${reason}`).join(", ")}`,
				...times,
			],
			...[`${(longest / alone).toFixed(1)}x`, (bytes / 1e6).toFixed(0), `${cpu.toFixed(1)} s`],
			`${peak} MB${peak <= MOST_MEGABYTES ? "" : " (too much)"}`,
		];
	});
	const times = ["median", "9 of 10 within", "longest", "of one alone"];
	return table([["Pis", "booted", ...times, "MB by TFTP", "server's cpu", "memory at most"], ...rows]);
}
