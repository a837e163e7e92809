import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import type { AgentDisk, Device, NewWrite, Write } from "@pi-netboot/api";
import { NetbootError } from "../base/index.ts";
import { fakeServices } from "../http/testing/fake-services.ts";
import { harness, token } from "../http/testing/harness.ts";
import { sampleDevice, sampleWrite } from "../http/testing/samples.ts";
import { disk, inventory } from "../writes/testing/floor.ts";
import { runCli } from "./index.ts";

const SD = disk("/dev/mmcblk0", { partitions: [{ path: "/dev/mmcblk0p1", size: 536_870_912, content: "fat" }] });
const USB = disk("/dev/sda", { use: { code: "mounted", message: "It is mounted." } });

function pi(name: string, id: string, disks: AgentDisk[], online = true): Device {
	return {
		...sampleDevice,
		name,
		id,
		mac: null,
		agent: { online, version: "1", heardAt: 1, inventory: inventory(...disks) },
	};
}

const devices = [pi("kitchen", "00000001", [SD, USB]), pi("hall", "00000002", [SD, disk("/dev/nvme0n1")])];
const sleeping = [pi("attic", "00000003", [SD], false), { ...sampleDevice, name: "new", id: "00000004", mac: null }];

/** What becomes of a write, look by look. */
let story: Partial<Write>[] = [];
let ordered: { readonly id: string; readonly wish: NewWrite }[] = [];
/** Writes of long ago. */
let old: string[] = [];
let stops: () => Promise<void>;
let url = "";
let dataDir = "";

before(async () => {
	const services = fakeServices();
	const look = (id = sampleWrite.id): Write => ({ ...sampleWrite, id, ...story[0], ...story.shift() });
	const server = harness({
		services: {
			...services,
			devices: { ...services.devices, list: () => [...devices, ...sleeping] },
			writes: {
				...services.writes,
				start(id, wish) {
					if (id === "00000002" && wish.verify === "none") throw new NetbootError("write-running", "One runs already.");
					ordered.push({ id, wish });
					return { ...sampleWrite, id: id.padStart(16, "0") };
				},
				get: look,
				list: ({ before, limit }) => {
					const all = [...ordered.map(({ id }) => id.padStart(16, "0")), ...old];
					const start = before === undefined ? 0 : all.indexOf(before) + 1;
					return all.slice(start, start + limit).map(look);
				},
				retry: look,
			},
		},
	});
	await server.http.start();
	url = `http://127.0.0.1:${server.http.port}`;
	dataDir = mkdtempSync(join(tmpdir(), "write-"));
	writeFileSync(join(dataDir, "token"), `${token}\n`);
	stops = () => server.http.stop();
});

after(async () => {
	await stops();
	rmSync(dataDir, { recursive: true });
});

beforeEach(() => {
	story = [];
	ordered = [];
	old = [];
});

const OVER = { stage: "complete", percent: 100, endedAt: sampleWrite.createdAt + 81_000 } as const;

interface Person {
	/** What is typed; nobody is there without it. */
	readonly answer?: string;
	/** Presses Ctrl-C. */
	readonly interrupts?: boolean;
}

async function write(args: readonly string[], person: Person = {}) {
	const out: string[] = [];
	const err: string[] = [];
	const terminal = {
		out: (text: string) => void out.push(text),
		err: (text: string) => void err.push(text),
		env: {},
		isWatched: true,
		async ask(question: string) {
			err.push(question);
			return person.answer;
		},
		interrupted: () => ({
			signal: person.interrupts ? AbortSignal.abort() : new AbortController().signal,
			forget: () => undefined,
		}),
	};
	const command = ["write", ...args, "--url", url, "--data", dataDir];
	const exitCode = await runCli(command, async () => assert.fail("nobody asked to serve"), terminal);
	return { exitCode, out: out.join(""), err: err.join("") };
}

describe("pi-netboot write", () => {
	it("names disk, size and what is on it, asks, shows how far it is, and says how it went", async () => {
		story = [{ ...OVER, verifiedBytes: 1_900_000_000, bytesDone: 1_800_000_000 }];
		const { exitCode, out, err } = await write(["kitchen"], { answer: "yes" });
		assert.equal(exitCode, 0, err);
		assert.match(err, /raspios-trixie\.img \(3\.0 GB\) to \/dev\/mmcblk0 of kitchen \(Raspberry Pi 5 Model B, 8 GB\)/);
		assert.match(err, /SC32G, 32\.0 GB, serial 0x1234\. On it now: 1 partition \(fat 537 MB\)\./);
		assert.match(err, /All that is on it is lost\. Type yes to go on:/);
		assert.match(err, /\[#+\.+\] {2}42 % {2}pi-8f79: writing 38 MB\/s, 60 s left/);
		assert.match(out, /done in 80 s: 1\.8 GB written, 1\.9 GB read back and compared, 300 MB over the network/);
		const target = { path: "/dev/mmcblk0", size: SD.size, identity: SD.identity };
		const wish = { imageId: "raspios-trixie", target, confirm: true, verify: "full" };
		assert.deepEqual(ordered, [{ id: "00000001", wish }]);
	});

	it("claims no more proof than was asked for, and counts from when it began", async () => {
		const times = [{ stage: "wiping", at: OVER.endedAt - 9000 }] as const;
		const proof = async (verify: Write["verify"]) => {
			story = [{ ...OVER, verify, times: [...times], verifiedBytes: 100_000_000 }];
			return (await write(["kitchen", "--verify", verify], { answer: "yes" })).out;
		};
		assert.match(await proof("none"), /done in 9 s: 900 MB written, not read back, 300 MB over/);
		assert.match(await proof("sample"), /written, a sample of it read back and compared, 300 MB/);
	});

	it("writes nothing without a yes", async () => {
		for (const answer of ["", "y", "no"]) assert.equal((await write(["kitchen"], { answer })).exitCode, 1);
		const { exitCode, err } = await write(["kitchen"]);
		assert.deepEqual([exitCode, /--yes/.test(err)], [2, true]);
		assert.deepEqual(ordered, []);
	});

	it("says what is missing: which Pi, which disk, which image", async () => {
		const says = async (args: string[], pattern: RegExp, exitCode = 1) => {
			const result = await write(args);
			assert.deepEqual([result.exitCode, pattern.test(result.err)], [exitCode, true], result.err);
		};
		await says([], /which Pi/, 2);
		await says(["kitchen", "--all"], /only one of these/, 2);
		await says(["cellar"], /no device "cellar"/);
		await says(["hall"], /more than one disk.*\n.*\/dev\/mmcblk0 \(SC32G.*\/dev\/nvme0n1/);
		await says(["kitchen", "--target", "/dev/nvme0n1"], /has no disk \/dev\/nvme0n1/);
		await says(["kitchen", "--image", "none"], /no image "none"/);
		await says(["new"], /nothing is known of the disks of new yet/);
	});

	it("all: those that are there and have the disk, after one question", async () => {
		story = [];
		const flags = ["--all", "--target", "/dev/mmcblk0", "--no-wait"];
		const { exitCode, err, out } = await write(flags, { answer: "yes" });
		assert.equal(exitCode, 0, err);
		assert.deepEqual(
			ordered.map(({ id }) => id),
			["00000001", "00000002"],
		);
		assert.match(err, /All that is on these 2 disks is lost/);
		assert.match(out, /ordered \(0000000000000001\)/);
		const some = await write([...flags, "--yes", "--verify", "none"]);
		assert.match(some.err, /One runs already[\s\S]*1 of 2 were refused/);
		assert.equal(some.exitCode, 0);
	});

	it("that does not end well is exit 1, with the reason and how to begin again", async () => {
		const error = { code: "disk-error", message: "/dev/mmcblk0 failed to write at byte 4096." };
		story = [{ stage: "failed", endedAt: 1_700_000_020_000, error }];
		const { exitCode, out, err } = await write(["kitchen", "--yes"]);
		assert.equal(exitCode, 1);
		assert.match(out, /failed\. \/dev\/mmcblk0 failed to write at byte 4096\./);
		assert.match(err, /write --retry/);
	});

	it("leaves it running at Ctrl-C, and says how to stop it", async () => {
		const { exitCode, err } = await write(["kitchen", "--yes"], { interrupts: true });
		assert.equal(exitCode, 1);
		assert.match(err, /the write goes on without you[\s\S]*write --cancel 0000000000000001/);
	});

	it("lists, cancels, begins again, in JSON too", async () => {
		await write(["kitchen", "--yes", "--no-wait"]);
		assert.match((await write(["--list"])).out, /0000000000000001 .*\/dev\/mmcblk0 +writing +42 %/);
		assert.equal(JSON.parse((await write(["--list", "--json"])).out).writes.length, 1);
		assert.match((await write(["--cancel", sampleWrite.id])).out, /stops/);
		story = [{}, OVER];
		const { writes } = JSON.parse((await write(["--retry", sampleWrite.id, "--json"])).out);
		assert.equal(writes[0].stage, "complete");
	});

	it("lists those of long ago, a hundred at a time", async () => {
		old = Array.from({ length: 150 }, (_, index) => `a${String(index).padStart(15, "0")}`);
		const first = await write(["--list"]);
		assert.deepEqual(
			[first.out.split("\n").length, first.err],
			[102, `There are older ones: pi-netboot write --list --before ${old[99]}\n`],
		);
		const second = await write(["--list", "--before", old[99] ?? ""]);
		assert.deepEqual([second.out.split("\n").length, second.err], [52, ""]);
		assert.equal((await write(["kitchen", "--before", old[0] ?? ""])).exitCode, 2);
		assert.equal((await write(["--list", "--before", "the last one"])).exitCode, 2);
	});
});
