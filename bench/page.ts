/**
 * The page of all Pis while two hundred virtual ones boot: tasks of the browser's main thread that are longer than 50 ms, which
 * is when a person feels that a page hangs (W3C Long Tasks). The server and the Pis are on the same machine, which would make
 * every task longer by the clock, so the browser goes before them; the time that the thread computed is the page's own in any case.
 * Before that, what the first page is made of.
 */
import { mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page, Request } from "playwright-core";
import { startBrowser } from "../test/harness/browser.ts";
import { run } from "../test/harness/command.ts";
import { Lab } from "../test/harness/lab.ts";
import { mainThreadTasks, type Task, TRACED } from "../test/harness/main-thread.ts";
import { Screen } from "../test/harness/screen.ts";
import { Server } from "../test/harness/server.ts";
import { makeSmallImage } from "../test/harness/small-image.ts";
import { table } from "./compare.ts";

const PROGRAM = fileURLToPath(new URL("../server/bin/pi-netboot.mjs", import.meta.url));
/** Before all that has no such priority (sched(7)), as if the machine were its own. */
const FIRST = ["chrt", "--rr", "1"];
/** Milliseconds. */
const LONG = 50;

export interface PageBenchOptions {
	/** Virtual Pis. */
	readonly count: number;
	/** Seconds from the first power-on to the last, where it is not all at once. */
	readonly ramp: number;
}

/** A file of the page, as it came over the network. */
interface Loaded {
	readonly name: string;
	readonly bytes: number;
}

interface Round {
	readonly name: string;
	readonly seconds: number;
	readonly tasks: readonly Task[];
}

/** Prints a line for each way to look at them and to switch them on. */
export async function benchPage({ count, ramp }: PageBenchOptions): Promise<void> {
	process.stdout.write(`${firstPage(await loadFirstPage())}\n`);
	const rounds: Round[] = [];
	for (const seconds of [0, ramp]) {
		for (const view of ["cards", "rows"] as const) rounds.push(await watch(view, count, seconds));
	}
	const rows = rounds.map(({ name, seconds, tasks }) => [
		name,
		`${seconds.toFixed(0)} s`,
		...spans(tasks.map(({ wall }) => wall)),
		...spans(tasks.map(({ computed }) => computed)),
	]);
	const figures = ["longest", `over ${LONG} ms`, "in all"];
	const heads = [...figures.map((name) => `${name}, by the clock`), ...figures.map((name) => `${name}, computed`)];
	process.stdout.write(`${table([[`${count} Pis`, "took", ...heads], ...rows])}\n`);
}

function firstPage(files: readonly Loaded[]): string {
	const kilobytes = (bytes: number) => (bytes / 1000).toFixed(1);
	const rows = files.toSorted((a, b) => b.bytes - a.bytes).map(({ name, bytes }) => [name, kilobytes(bytes)]);
	const all = files.reduce((sum, { bytes }) => sum + bytes, 0);
	return table([["the first page", "kB packed"], ...rows, ["all of it", kilobytes(all)]]);
}

function spans(milliseconds: readonly number[]): string[] {
	const longest = milliseconds.reduce((most, one) => Math.max(most, one), 0);
	const all = milliseconds.reduce((sum, one) => sum + one, 0);
	return [`${longest.toFixed(0)} ms`, String(milliseconds.filter((one) => one > LONG).length), `${all.toFixed(0)} ms`];
}

/** What comes before the page of all Pis is there. */
function loadFirstPage(): Promise<Loaded[]> {
	return inBrowser(async ({ server, browser }) => {
		const requests: Request[] = [];
		const page = await browser.newPage();
		page.on("requestfinished", (request) => void requests.push(request));
		await page.goto(server.loginLink);
		await page.getByRole("heading", { name: "No Pi yet" }).waitFor();
		await page.waitForLoadState("load");
		const files = requests.filter((request) => !request.url().includes("/api/"));
		return Promise.all(
			files.map(async (request) => ({
				name: new URL(request.url()).pathname,
				bytes: (await request.sizes()).responseBodySize,
			})),
		);
	});
}

interface Setting {
	readonly lab: Lab;
	readonly server: Server;
	readonly browser: Browser;
}

/** A new server for each, so that all Pis are new to it. */
async function inBrowser<T>(look: (setting: Setting) => Promise<T>): Promise<T> {
	const folder = await mkdtemp(join(tmpdir(), "bench-page-"));
	const images = join(folder, "images");
	mkdirSync(images);
	makeSmallImage(images, folder, { name: "small.img", kernelBytes: 300_000, forAllModels: true });
	const lab = await Lab.create();
	try {
		const server = await Server.start(lab, { images, data: join(folder, "data"), logLevel: "warn" });
		await server.waitForImage("small");
		const browser = await startBrowser(lab, "rtr", folder, FIRST);
		const seen = await look({ lab, server, browser });
		await browser.close();
		await server.stop();
		return seen;
	} finally {
		await lab.remove();
		await rm(folder, { recursive: true });
	}
}

function watch(view: "cards" | "rows", count: number, ramp: number): Promise<Round> {
	return inBrowser(async ({ lab, server, browser }) => {
		const page = await openPis(browser, server, view);
		await browser.startTracing(page, { categories: TRACED });
		const begin = performance.now();
		await powerOn(lab, count, ramp);
		const seconds = (performance.now() - begin) / 1000;
		const tasks = mainThreadTasks(await browser.stopTracing());
		return { name: `${view}, ${ramp === 0 ? "at once" : `over ${ramp} s`}`, seconds, tasks };
	});
}

/** The page of all Pis, shown as wanted from the first Pi on. */
async function openPis(browser: Browser, server: Server, view: "cards" | "rows"): Promise<Page> {
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
	const { page } = await Screen.open(context);
	await page.goto(server.loginLink);
	await page.getByRole("heading", { name: "No Pi yet" }).waitFor();
	// The switch is there with the first Pi, and the page keeps what was chosen.
	const chosen = page.getByRole("button", { name: `Show ${view}` }).click();
	await server.api("POST", "/api/v1/virtual-pis", { model: "pi4" });
	await chosen;
	await page.getByText("Running", { exact: true }).first().waitFor();
	return page;
}

async function powerOn(lab: Lab, count: number, ramp: number): Promise<void> {
	const words = ["simulate", "--server", "127.0.0.1", "--model", "pi3bp,pi4,pi5", "--count", String(count)];
	const ports = ["--dhcp-port", "67", "--tftp-port", "69", "--nfs-port", "2049", "--portmap-port", "111"];
	const { status, stdout, stderr } = await run(
		lab.on("srv", [PROGRAM, ...words, ...ports, "--ramp", String(ramp), "--json"]),
		{ timeout: 600_000 },
	);
	if (status !== 0) throw new Error(`the virtual Pis did not boot: ${stdout.slice(-2000)}${stderr}`);
}
