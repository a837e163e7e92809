/** TFTP: our server, with the boot files out of an image, next to dnsmasq with the same files in a folder. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { fetchCmdline } from "../test/harness/export.ts";
import { Lab, SERVER_ADDRESS } from "../test/harness/lab.ts";
import { Server } from "../test/harness/server.ts";
import { type Compared, comparePoint, heads, type Point, row, spreadOf, table } from "./compare.ts";
import { DNSMASQ_ADDRESS, DNSMASQ_HOST, Dnsmasq } from "./dnsmasq.ts";
import { BOOT_TREE, type Fixture, makeFixture, removeFixture } from "./fixture.ts";
import { forgetPeak, type Load, LoadClient, type LoadedServer, peakMegabytes } from "./load.ts";

export interface TftpBenchOptions {
	readonly rounds: number;
	/** Only points whose name has this in it. */
	readonly only: string;
}

/** A server, and what stands before the name of a file there. */
interface Side extends LoadedServer {
	readonly prefix: string;
}

interface TftpPoint extends Point {
	readonly clients: number;
	readonly windowsize: number;
	readonly file: string;
}

const MIB = 1024 * 1024;
/** So that every point takes about as long. */
const FILES: Readonly<Record<string, number>> = { "large.img": 32, "medium.img": 6, "small.img": 2 };

/** What a Pi asks for: it fits into an Ethernet frame. */
const BLKSIZE = 1468;

function fetching(clients: number, windowsize: number, file: string, aim: number): TftpPoint {
	return {
		name: `${clients === 1 ? "1 client" : `${clients} clients`}${windowsize > 1 ? `, windowsize ${windowsize}` : ""}`,
		unit: "MB/s",
		figure: ({ bytes, seconds }) => bytes / seconds / 1e6,
		cpuUnit: "s/GB",
		cpu: ({ cpu, bytes }) => (cpu / bytes) * 1e9,
		aim: { figure: aim },
		...{ clients, windowsize, file },
	};
}

const POINTS: readonly TftpPoint[] = [
	fetching(1, 1, "large.img", 0.6),
	fetching(32, 1, "medium.img", 0.5),
	fetching(100, 1, "small.img", 0.45),
	fetching(1, 16, "large.img", 1.3),
];

/** Prints a table of ratios, and how long a block takes and how evenly clients are served. */
export async function benchTftp(options: TftpBenchOptions): Promise<void> {
	const bootFiles = Object.fromEntries(Object.entries(FILES).map(([name, size]) => [name, randomBytes(size * MIB)]));
	const fixture = await makeFixture({ megabytes: 1, bootFiles });
	const lab = await Lab.create();
	const client = await LoadClient.build(lab, "tftpload");
	try {
		await lab.addHost(DNSMASQ_HOST, { mac: "02:00:00:00:00:02", address: `${DNSMASQ_ADDRESS}/24` });
		await compareAll(lab, fixture, client, options);
	} finally {
		await lab.remove();
		await client.remove();
		await removeFixture(fixture);
	}
}

async function compareAll(lab: Lab, fixture: Fixture, client: LoadClient, options: TftpBenchOptions): Promise<void> {
	const tree = join(fixture.folder, BOOT_TREE);
	const server = await Server.start(lab, fixture);
	const dnsmasq = await Dnsmasq.start(lab, tree);
	try {
		await server.waitForImage("bench");
		const serial = "be4c0001";
		await fetchCmdline(lab, { mac: "dc:a6:32:be:ac:01", address: "10.77.0.20", serial });
		const ours: Side = { host: "srv", address: SERVER_ADDRESS, pid: server.pid, prefix: `${serial}/` };
		const peer: Side = { host: DNSMASQ_HOST, address: DNSMASQ_ADDRESS, pid: dnsmasq.pid, prefix: "" };
		await forgetPeak(ours.pid);
		for (const side of [ours, peer]) await fetchFile(client, side, POINTS[3], ["-v", join(tree, "large.img")]);
		const all = await runPoints(client, ours, peer, options);
		process.stdout.write(
			`${table([heads("dnsmasq"), ...all.map(row)])}\n\n${table([DETAIL_HEADS, ...all.map(detail)])}\n`,
		);
		process.stdout.write(`memory at most, under these loads: ours ${await peakMegabytes(ours.pid)} MB\n`);
	} finally {
		await dnsmasq.stop();
		await server.stop();
	}
}

async function runPoints(client: LoadClient, ours: Side, peer: Side, { rounds, only }: TftpBenchOptions) {
	const all: Compared[] = [];
	for (const point of POINTS.filter(({ name }) => name.includes(only))) {
		const run = (side: Side) => fetchFile(client, side, point);
		all.push(
			await comparePoint(
				point,
				rounds,
				() => run(ours),
				() => run(peer),
			),
		);
	}
	return all;
}

/** From loopback, where all clients may have one address. */
function fetchFile(
	client: LoadClient,
	side: Side,
	point: TftpPoint | undefined,
	more: readonly string[] = [],
): Promise<Load> {
	const { clients, windowsize, file } = point ?? fetching(1, 1, "large.img", 1);
	const how = ["-c", String(clients), "-b", String(BLKSIZE), "-w", String(windowsize), "-a", "127.0.0.1"];
	return client.run(side, ["-f", `${side.prefix}${file}`, ...how, ...more]);
}

const DETAIL_HEADS = ["", "p99 ours", "p99 dnsmasq", "first/last ours", "first/last dnsmasq", "asked again"];

/** How long the slowest hundredth of the blocks took, and how evenly the clients were served: 1 is all at the same time. */
function detail({ point, ours, peer }: Compared): readonly string[] {
	const p99 = (loads: readonly Load[]) => `${(spreadOf(loads.map(({ p99us }) => p99us)).median / 1000).toFixed(2)} ms`;
	const even = (loads: readonly Load[]) =>
		spreadOf(loads.map(({ first = 0, seconds }) => first / seconds)).median.toFixed(2);
	const again = (loads: readonly Load[]) => loads.reduce((sum, { repeats = 0 }) => sum + repeats, 0);
	return [point.name, p99(ours), p99(peer), even(ours), even(peer), `${again(ours)} and ${again(peer)} times`];
}
