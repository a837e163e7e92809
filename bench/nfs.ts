/** NFS: our server, with its root out of an image file, next to nfs-ganesha with the same files in a folder. */
import { join } from "node:path";
import { fetchCmdline } from "../test/harness/export.ts";
import { Lab, SERVER_ADDRESS } from "../test/harness/lab.ts";
import { Server } from "../test/harness/server.ts";
import { type Compared, comparePoint, heads, type Point, row, table } from "./compare.ts";
import { measureDevices } from "./devices.ts";
import { BENCH_FOLDER, type Fixture, LARGE_FILE, makeFixture, removeFixture, SMALL_FILES } from "./fixture.ts";
import { GANESHA_ADDRESS, GANESHA_HOST, GANESHA_MOUNT_PORT, Ganesha } from "./ganesha.ts";
import { forgetPeak, type Load, LoadClient, peakMegabytes, type Target } from "./load.ts";

export interface NfsBenchOptions {
	/** The size of the large file. */
	readonly megabytes: number;
	readonly rounds: number;
	/** How many devices read at the same time for the memory, 0 for none. */
	readonly devices: number;
	/** Only points whose name has this in it. */
	readonly only: string;
}

interface NfsPoint extends Point {
	readonly parameters: readonly string[];
}

const perSecond = ({ operations, seconds }: Load) => operations / seconds;
const perOperation = ({ cpu, operations }: Load) => (cpu / operations) * 1e6;

function reading(name: string, size: number, depth: number): NfsPoint {
	return {
		name: `READ ${name}, depth ${depth}`,
		unit: "MB/s",
		figure: ({ bytes, seconds }) => bytes / seconds / 1e6,
		cpuUnit: "s/GB",
		cpu: ({ cpu, bytes }) => (cpu / bytes) * 1e9,
		aim: { figure: 1, cpu: 0.8 },
		parameters: ["-M", "read", "-D", BENCH_FOLDER, "-f", LARGE_FILE, "-s", String(size), "-d", String(depth)],
	};
}

function metadata(depth: number, operations: number, aim: number): NfsPoint {
	return {
		name: `LOOKUP+GETATTR, depth ${depth}`,
		...{ unit: "calls/s", figure: perSecond, cpuUnit: "us/call", cpu: perOperation, aim: { figure: aim } },
		parameters: [
			...["-M", "meta", "-D", `${BENCH_FOLDER}/many`, "-N", String(SMALL_FILES)],
			...["-d", String(depth), "-b", String(operations)],
		],
	};
}

/** What dpkg does for each file of a package: it makes it under another name, writes, syncs and renames it. */
function creating(depth: number, files: number): NfsPoint {
	return {
		name: `CREATE+WRITE 8K+COMMIT+RENAME, depth ${depth}`,
		...{ unit: "files/s", figure: perSecond, cpuUnit: "us/file", cpu: perOperation },
		parameters: [
			...["-M", "create", "-D", `${BENCH_FOLDER}/new`, "-s", "8192"],
			...["-d", String(depth), "-b", String(files)],
		],
	};
}

const RANDOM: NfsPoint = {
	name: "READ 32K at random, depth 4",
	...{ unit: "calls/s", figure: perSecond, cpuUnit: "us/call", cpu: perOperation },
	parameters: ["-M", "random", "-D", BENCH_FOLDER, "-f", LARGE_FILE, "-s", "32768", "-d", "4", "-b", "20000"],
};

const POINTS: readonly NfsPoint[] = [
	reading("64K", 64 << 10, 1),
	reading("64K", 64 << 10, 8),
	reading("1M", 1 << 20, 1),
	reading("1M", 1 << 20, 8),
	metadata(1, 30_000, 1.1),
	metadata(16, 100_000, 4),
	RANDOM,
	creating(1, 200),
	creating(16, 1000),
];

/** Prints a table of ratios. */
export async function benchNfs(options: NfsBenchOptions): Promise<void> {
	const fixture = await makeFixture(options);
	const lab = await Lab.create();
	const client = await LoadClient.build(lab, "nfsload");
	try {
		await lab.addHost(GANESHA_HOST, { mac: "02:00:00:00:00:02", address: `${GANESHA_ADDRESS}/24` });
		await compareAll(lab, fixture, client, options);
	} finally {
		await lab.remove();
		await client.remove();
		await removeFixture(fixture);
	}
}

async function compareAll(lab: Lab, fixture: Fixture, client: LoadClient, options: NfsBenchOptions): Promise<void> {
	const { images, data, tree } = fixture;
	// The first start after a change of the source compiles it, which users of a released version never see.
	await (await Server.start(lab, { images, data })).stop();
	const server = await Server.start(lab, { images, data });
	await server.waitForImage("bench");
	const ganesha = await Ganesha.start(lab, tree, { host: GANESHA_HOST, address: GANESHA_ADDRESS });
	const ours = await targetOf(lab, server);
	const peer: Target = {
		name: "ganesha",
		...{
			host: GANESHA_HOST,
			address: GANESHA_ADDRESS,
			mountPort: GANESHA_MOUNT_PORT,
			exportPath: tree,
			pid: ganesha.pid,
		},
	};
	process.stdout.write(`memory after start: ours ${await peakMegabytes(server.pid)} MB at most\n`);
	for (const { pid } of [ours, peer]) await forgetPeak(pid);
	for (const target of [ours, peer]) await checkContent(client, target, join(tree, BENCH_FOLDER, LARGE_FILE));
	const all = await runPoints(client, ours, peer, options);
	process.stdout.write(`${table([heads("ganesha"), ...all.map(row)])}\n`);
	const peaks = [await peakMegabytes(ours.pid), await peakMegabytes(peer.pid)];
	process.stdout.write(`memory at most, under these loads: ours ${peaks[0]} MB, ganesha ${peaks[1]} MB\n`);
	await ganesha.stop();
	if (options.devices > 0) process.stdout.write(await measureDevices(lab, server, client, options.devices));
	await server.stop();
}

async function runPoints(client: LoadClient, ours: Target, peer: Target, { rounds, only }: NfsBenchOptions) {
	const all: Compared[] = [];
	for (const point of POINTS.filter(({ name }) => name.includes(only))) {
		const { parameters } = point;
		all.push(
			await comparePoint(
				point,
				rounds,
				() => client.runNfs(ours, parameters),
				() => client.runNfs(peer, parameters),
			),
		);
	}
	return all;
}

async function targetOf(lab: Lab, server: Server): Promise<Target> {
	const pi = { mac: "dc:a6:32:be:ac:01", address: "10.77.0.20", serial: "be4c0001" };
	const { exportPath } = await fetchCmdline(lab, pi);
	return { name: "ours", host: "srv", address: SERVER_ADDRESS, mountPort: 2049, exportPath, pid: server.pid };
}

/** A quick server that gives wrong bytes is no server. */
async function checkContent(client: LoadClient, target: Target, path: string): Promise<void> {
	await client.runNfs(target, [
		"-M",
		"read",
		"-D",
		BENCH_FOLDER,
		"-f",
		LARGE_FILE,
		"-d",
		"4",
		"-s",
		"65536",
		"-v",
		path,
	]);
}
