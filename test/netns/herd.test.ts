/** Two hundred Pis that are switched on at once: more than can be served in the 30 seconds that a firmware has for a file. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { DeviceList } from "@pi-netboot/api";
import { bootLab } from "../harness/boot-lab.ts";
import { run } from "../harness/command.ts";
import type { Lab } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import type { Server } from "../harness/server.ts";
import { makeSmallImage } from "../harness/small-image.ts";

const PROGRAM = fileURLToPath(new URL("../../server/bin/pi-netboot.mjs", import.meta.url));
const COUNT = 200;
const MOST_MEGABYTES = 250;

/** What `simulate --json` says. The virtual firmware gives up as the real one does, and says so. */
interface Herd {
	readonly summary: {
		readonly booted: number;
		readonly seconds?: { readonly median: number; readonly longest: number };
		readonly failures: readonly { readonly reason: string; readonly count: number }[];
	};
	readonly pis: readonly { readonly hostname?: string }[];
}

const skip = await lacks(["ip", "curl", ...IMAGE_PROGRAMS]);
let lab: Lab;
let server: Server;

bootLab(skip, async (room) => {
	({ lab } = room);
	makeSmallImage(room.images, room.folder, { kernelBytes: 300_000 });
	server = await room.serve({ images: ["small"] });
});

async function powerOnAll(): Promise<Herd> {
	const words = ["simulate", "--server", "127.0.0.1", "--model", "pi3bp,pi4,pi5", "--count", String(COUNT), "--json"];
	const ports = ["--dhcp-port", "67", "--tftp-port", "69", "--nfs-port", "2049", "--portmap-port", "111"];
	const { stdout, stderr } = await run(lab.on("srv", [PROGRAM, ...words, ...ports]), { timeout: 300_000 });
	assert.ok(stdout.startsWith("{"), `${stdout}${stderr}`);
	return JSON.parse(stdout);
}

/** The most memory that the server ever had, in MB. */
function peakMemory(): number {
	const status = readFileSync(`/proc/${server.pid}/status`, "utf8");
	const kibibytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? assert.fail(status));
	return (kibibytes * 1024) / 1_000_000;
}

describe(`${COUNT} Pis of three kinds that are switched on at once`, { skip }, () => {
	it("all boot, each with its own root, and none gives up on a file", async (context) => {
		const { summary, pis } = await powerOnAll();
		assert.deepEqual(summary.failures, []);
		assert.equal(summary.booted, COUNT);
		assert.equal(new Set(pis.map(({ hostname }) => hostname)).size, COUNT);
		const { median = 0, longest = 0 } = summary.seconds ?? {};
		context.diagnostic(`half of them within ${median.toFixed(1)} s, the last one after ${longest.toFixed(1)} s`);
	});

	it("wait for their turn where they can, as the log says, and get there", async () => {
		assert.ok((server.log.match(/waits for its turn, with \d+ before it/g) ?? []).length > COUNT / 2);
		assert.deepEqual(server.log.match(/^.*: (timeout|aborted|failed) after \d+ of \d+ bytes/gm) ?? [], []);
		const { devices } = await server.api<DeviceList>("GET", "/api/v1/devices");
		const notThere = devices.filter(({ stage, diagnosis }) => stage !== "userspace" || diagnosis !== undefined);
		assert.deepEqual([devices.length, notThere], [COUNT, []]);
	});

	it(`take less than ${MOST_MEGABYTES} MB of the server's memory`, (context) => {
		const peak = peakMemory();
		context.diagnostic(`the server's memory: ${peak.toFixed(0)} MB at most`);
		assert.ok(peak < MOST_MEGABYTES, `${peak} MB`);
	});
});
