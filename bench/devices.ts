/** The memory of our server while many devices, each with a root of its own, read at the same time. */
import { must } from "../test/harness/command.ts";
import { fetchCmdline } from "../test/harness/export.ts";
import { type Lab, SERVER_ADDRESS } from "../test/harness/lab.ts";
import type { Server } from "../test/harness/server.ts";
import { BENCH_FOLDER, LARGE_FILE, SMALL_FILES } from "./fixture.ts";
import { forgetPeak, type LoadClient, peakMegabytes, type Target } from "./load.ts";

/** What the command line that we serve tells a Pi to ask for at once (`rsize`). */
const READ_BYTES = 65_536;

/** Devices that ask for their command lines at the same time. */
const AT_ONCE = 5;

/** @returns what was found, as lines of text. */
export async function measureDevices(lab: Lab, server: Server, client: LoadClient, count: number): Promise<string> {
	const targets: (Target & { readonly from: string })[] = [];
	for (let first = 1; first <= count; first += AT_ONCE) {
		const numbers = Array.from({ length: Math.min(AT_ONCE, count - first + 1) }, (_, index) => first + index);
		targets.push(...(await Promise.all(numbers.map((number) => boot(lab, server, number)))));
	}
	await forgetPeak(server.pid);
	const look = ["-M", "meta", "-D", `${BENCH_FOLDER}/many`, "-N", String(SMALL_FILES), "-d", "4", "-b", "4000"];
	await Promise.all(targets.map((target) => client.runNfs(target, [...look, "-a", target.from])));
	const read = ["-M", "read", "-D", BENCH_FOLDER, "-f", LARGE_FILE, "-s", String(READ_BYTES), "-d", "8"];
	const start = process.hrtime.bigint();
	const loads = await Promise.all(targets.map((target) => client.runNfs(target, [...read, "-a", target.from])));
	const seconds = Number(process.hrtime.bigint() - start) / 1e9;
	const megabytes = loads.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
	const peak = await peakMegabytes(server.pid);
	const aim = peak <= 200 ? "met" : "MISSED";
	return `${count} devices reading at once: ${(megabytes / seconds).toFixed(0)} MB/s in all, ours ${peak} MB at most (aim <= 200 MB: ${aim})\n`;
}

/** Begins the boot of a device, and takes its address to the server's host: the cables are left out. */
async function boot(lab: Lab, server: Server, number: number): Promise<Target & { readonly from: string }> {
	const hex = number.toString(16).padStart(2, "0");
	const from = `10.77.0.${50 + number}`;
	const pi = { mac: `dc:a6:32:be:ad:${hex}`, address: from, serial: `be4d00${hex}` };
	const { exportPath } = await fetchCmdline(lab, pi);
	await must(lab.on("srv", ["ip", "addr", "add", `${from}/32`, "dev", "lo"]));
	return {
		...{ name: pi.serial, from, host: "srv", address: SERVER_ADDRESS, mountPort: 2049, exportPath, pid: server.pid },
	};
}
