/**
 * Writing an image to the disks of Pis over 1 Gbit/s: our server and agents against what people do without them, `curl | dd`
 * of the image and `bmaptool copy` of the packed image with its block map. And several Pis at once.
 */
import { mkdir, mkdtemp, rm, statfs } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { Background, must } from "../test/harness/command.ts";
import type { Imager } from "../test/harness/imager.ts";
import { Lab, SERVER_ADDRESS } from "../test/harness/lab.ts";
import { Server } from "../test/harness/server.ts";
import { table } from "./compare.ts";
import { BenchDisk, CARD, type DiskSpeed } from "./write-disk.ts";
import { type BenchImage, makeBenchImage } from "./write-image.ts";
import { BenchPi, type Verify, type WriteState } from "./write-pi.ts";

const FULL = 0.41;
const LINK = 1_000_000_000 / 8;
const FILES_PORT = 8080;

export interface WriteBenchOptions {
	readonly gigabytes: number;
	/** How many write at once, after one alone; 0: none do. */
	readonly agents: number;
	/** Whether the others are run too. */
	readonly peers: boolean;
}

interface Site {
	readonly folder: string;
	readonly image: BenchImage;
	readonly lab: Lab;
	readonly server: Server;
}

const SPEEDS: readonly { readonly name: string; readonly speed?: DiskSpeed; readonly aims: Aims }[] = [
	{ name: "40 MB/s", speed: CARD, aims: { none: 2.5, full: 1.4 } },
	{ name: "unthrottled", aims: { none: 5 } },
];

/** As fast as `curl | dd` by so much, at least. */
type Aims = Partial<Record<Verify, number>>;

export async function benchWrite(options: WriteBenchOptions): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), "bench-write-"));
	const lab = await Lab.create();
	try {
		const images = join(folder, "images");
		await mkdir(images);
		await checkRoom(folder, options);
		const image = await makeBenchImage(images, options.gigabytes, FULL);
		const server = await Server.start(lab, { images, data: join(folder, "data"), flags: ["--log-level", "warn"] });
		await server.waitForImage("image", 120_000);
		const link = ["root", "tbf", "rate", "1gbit", "burst", "256kb", "latency", "50ms"];
		await must(lab.on("srv", ["tc", "qdisc", "add", "dev", "srv0", ...link]));
		// A network card cuts and sums up what it sends by itself; here that would be work of the processors, which the Pis share too.
		await must(lab.on("srv", ["ethtool", "-K", "srv0", "tx", "on"]));
		const site = { folder, image, lab, server };
		if (options.agents > 0) await benchMany(site, options.agents);
		else await benchOne(site, options.peers);
		await server.stop();
	} finally {
		await lab.remove();
		await rm(folder, { recursive: true, force: true });
	}
}

/** Image, pack, the packed image of the peer, and disks that hold all of it. */
async function checkRoom(folder: string, { gigabytes, agents }: WriteBenchOptions): Promise<void> {
	const { bavail, bsize } = await statfs(folder);
	const needed = gigabytes * 1e9 * (1 + FULL * (1.5 + agents));
	if (bavail * bsize < needed) throw new Error(`${folder} has no room for ${(needed / 1e9).toFixed(0)} GB`);
}

const load = () => `load ${loadavg()[0]?.toFixed(1)} on ${cpus().length} processors`;

/** One Pi, all ways, on both disks. */
async function benchOne(site: Site, withPeers: boolean): Promise<void> {
	const pi = new BenchPi(site.lab, site.server, 1);
	await withDisk(site, undefined, ({ device }) => prepare(site, { pi, device }));
	const files = withPeers ? await FileServer.start(site) : undefined;
	for (const { name, speed, aims } of SPEEDS) {
		const ours = {
			none: await writeOnce(site, pi, "none", speed),
			full: await writeOnce(site, pi, "full", speed),
		};
		process.stdout.write(`${table(boundRows(name, ours, speed))}\n${load()}\n`);
		if (files === undefined) continue;
		const curl = await files.time(pi, speed, curlCommand());
		const bmap = await files.time(pi, speed, bmapCommand());
		process.stdout.write(`${table(ratioRows(name, ours, { curl, bmap }, aims))}\n${load()}\n`);
	}
	await files?.stop();
}

/** Has map and pack made, which is done once, and says how long it took. */
async function prepare({ folder }: Site, first: PiWithDisk | undefined): Promise<void> {
	if (first === undefined) return;
	const agent = await first.pi.boot(folder, first.device);
	const start = performance.now();
	await first.pi.prepare(first.device);
	process.stdout.write(`map and pack made in ${((performance.now() - start) / 1000).toFixed(0)} s, ${load()}\n`);
	await agent.stop();
}

async function withDisk<T>(site: Site, speed: DiskSpeed | undefined, use: (disk: BenchDisk) => Promise<T>): Promise<T> {
	const disk = await BenchDisk.attach(join(site.folder, "disk"), site.image.size, speed);
	try {
		return await use(disk);
	} finally {
		await disk.remove();
	}
}

interface Written {
	readonly write: WriteState;
	/** From the order until all of it is on the disk. */
	readonly seconds: number;
	/** The most memory that the agent had, in bytes. */
	readonly memory: number;
}

function writeOnce(site: Site, pi: BenchPi, verify: Verify, speed: DiskSpeed | undefined): Promise<Written> {
	return withDisk(site, speed, async ({ device }) => {
		const [written] = await writeAll(site, [{ pi, device }], verify);
		if (written === undefined) throw new Error("nothing was written");
		return written;
	});
}

interface PiWithDisk {
	readonly pi: BenchPi;
	readonly device: string;
}

/** Boots the Pis one by one, and then has all of them written at once. */
async function writeAll({ folder }: Site, pis: readonly PiWithDisk[], verify: Verify): Promise<Written[]> {
	const agents: Imager[] = [];
	try {
		for (const { pi, device } of pis) agents.push(await pi.boot(folder, device));
		const orders = await Promise.all(pis.map(({ pi, device }) => pi.order(device, verify)));
		const writes = await Promise.all(orders.map((order, index) => pis[index]?.pi.end(order) ?? order));
		return writes.map((write, index) => {
			const seconds = ((write.endedAt ?? Number.NaN) - write.createdAt) / 1000;
			return { write, seconds, memory: agents[index]?.peakMemory ?? Number.NaN };
		});
	} finally {
		for (const agent of agents) await agent.stop();
	}
}

type OurTimes = Readonly<Record<Verify, Written>>;

function boundRows(name: string, { none, full }: OurTimes, speed: DiskSpeed | undefined): string[][] {
	const { write, seconds } = none;
	const { wireBytes, bytesTotal, zeroBytes } = write;
	const memory = Math.max(none.memory, full.memory);
	const wire = wireBytes / LINK;
	const bound = Math.max(wire, speed === undefined ? 0 : (bytesTotal + zeroBytes) / speed.write);
	const share = wireBytes / bytesTotal;
	return [
		[`disk ${name}, not read back`, "", "aim"],
		["seconds", seconds.toFixed(1), ""],
		["of what link and disk allow", `${(seconds / bound).toFixed(2)}x`, aimText("<=", 1.1, seconds / bound)],
		[
			"wire bytes of used bytes",
			`${share.toFixed(3)}x of ${(bytesTotal / 1e6).toFixed(0)} MB`,
			aimText("<=", 0.35, share),
		],
		["memory of the agent", `${(memory / 2 ** 20).toFixed(0)} MiB`, aimText("<=", 64, memory / 2 ** 20)],
	];
}

function aimText(sign: "<=" | ">=", aim: number, value: number): string {
	const isMet = sign === "<=" ? value <= aim : value >= aim;
	return `${sign} ${aim} ${isMet ? "met" : "MISSED"}`;
}

function ratioRows(
	name: string,
	ours: OurTimes,
	{ curl, bmap }: { readonly curl: number; readonly bmap: number },
	aims: Aims,
): string[][] {
	const rows = (["none", "full"] as const).map((verify) => {
		const { seconds } = ours[verify];
		const aim = aims[verify];
		const faster = [curl / seconds, bmap / seconds].map((ratio) => `${ratio.toFixed(2)}x`);
		const what = verify === "full" ? "ours, read back and compared" : "ours, not read back";
		return [what, `${seconds.toFixed(1)} s`, ...faster, aim === undefined ? "" : aimText(">=", aim, curl / seconds)];
	});
	return [
		[`disk ${name}`, "", "as fast as curl | dd", "as bmaptool copy", "aim"],
		...rows,
		["curl | dd, not read back", `${curl.toFixed(1)} s`, "", "", ""],
		["bmaptool copy, not read back", `${bmap.toFixed(1)} s`, "", "", ""],
	];
}

const url = (name: string) => `http://${SERVER_ADDRESS}:${FILES_PORT}/${name}`;
const curlCommand = () => `curl -sf ${url("image.img")} | dd of="$1" bs=4M conv=fsync status=none`;
const bmapCommand = () => `bmaptool -q copy --bmap ${url("image.bmap")} ${url("image.img.zst")} "$1"`;

/** The image for the others, plain, and packed as well as they know. */
class FileServer {
	readonly #site: Site;
	readonly #program: Background;

	private constructor(site: Site, program: Background) {
		this.#site = site;
		this.#program = program;
	}

	static async start(site: Site): Promise<FileServer> {
		const { path } = site.image;
		const place = join(site.folder, "files");
		await mkdir(place);
		await must(["ln", path, join(place, "image.img")]);
		await must(["zstd", "-q", "-T0", "-3", path, "-o", join(place, "image.img.zst")]);
		await must(["bmaptool", "-q", "create", path, "-o", join(place, "image.bmap")]);
		const command = ["busybox", "httpd", "-f", "-p", String(FILES_PORT), "-h", place];
		return new FileServer(site, new Background(site.lab.on("srv", command)));
	}

	/** Seconds that a command takes on the Pi until the disk, its first argument, has all of it. */
	time(pi: BenchPi, speed: DiskSpeed | undefined, command: string): Promise<number> {
		const { lab } = this.#site;
		return withDisk(this.#site, speed, async ({ device }) => {
			const start = performance.now();
			await must(lab.on(pi.host, ["bash", "-c", `set -o pipefail; ${command} && sync "$1"`, "bash", device]));
			return (performance.now() - start) / 1000;
		});
	}

	async stop(): Promise<void> {
		await this.#program.stop();
	}
}

/** One alone, then all of them at once, each on a card. */
async function benchMany(site: Site, count: number): Promise<void> {
	const pis: PiWithDisk[] = [];
	const disks: BenchDisk[] = [];
	try {
		for (let number = 1; number <= count; number++) {
			const disk = await BenchDisk.attach(join(site.folder, `disk-${number}`), site.image.size, CARD);
			disks.push(disk);
			pis.push({ pi: new BenchPi(site.lab, site.server, number), device: disk.device });
		}
		await prepare(site, pis[0]);
		const [alone] = await writeAll(site, pis.slice(0, 1), "none");
		if (alone === undefined) return;
		process.stdout.write(`1 Pi on a disk of 40 MB/s: ${alone.seconds.toFixed(1)} s, ${load()}\n`);
		process.stdout.write(`${together(await writeAll(site, pis, "none"), alone.seconds)}; ${load()}\n`);
	} finally {
		for (const disk of disks) await disk.remove();
	}
}

function together(all: readonly Written[], alone: number): string {
	const ratio = Math.max(...all.map(({ seconds }) => seconds)) / alone;
	const wire = all.reduce((sum, { write }) => sum + write.wireBytes, 0) / LINK / alone;
	const aim = aimText("<=", 1.15, ratio);
	return `${all.length} Pis together: the last one takes ${ratio.toFixed(2)}x of that, ${aim}; the link alone ${wire.toFixed(2)}x`;
}
