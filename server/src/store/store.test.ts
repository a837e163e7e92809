import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { after, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openStore, type Store } from "./index.ts";
import { bootRow, deviceRow } from "./testing/rows.ts";

let directory: string;
let path: string;
let count = 0;

before(async () => {
	directory = await mkdtemp(join(tmpdir(), "store-"));
});
after(() => rm(directory, { recursive: true }));
beforeEach(() => {
	path = join(directory, `${count++}`, "netboot.db");
});

/** Opens the store for the length of `work`. */
async function withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
	const store = await openStore(path);
	try {
		return await work(store);
	} finally {
		await store.close();
	}
}

describe("opening", () => {
	test("a new file holds all tables, and its second opening changes nothing", async () => {
		await withStore(async (store) => assert.deepEqual(await store.devices.list(), []));
		await withStore(async (store) => assert.deepEqual(await store.layers.list(), []));
	});

	test("the files are their owner's alone, whatever the umask", async () => {
		const umask = process.umask(0);
		try {
			await withStore(async (store) => {
				await store.settings.set("serverIp", "192.0.2.1");
				for (const name of [path, `${path}-wal`]) assert.equal((await stat(name)).mode & 0o777, 0o600, name);
			});
		} finally {
			process.umask(umask);
		}
	});

	test("a second server on the same folder is told so", async () => {
		await withStore(() => assert.rejects(openStore(path), { name: "ExternalError", code: "data-in-use" }));
		await withStore(async () => undefined);
	});

	test("a file that is no database is named, and left as it is", async () => {
		await withStore(async () => undefined);
		await writeFile(path, "this is not a database, but long enough to be looked at as one ".repeat(20));
		await assert.rejects(openStore(path), { name: "ExternalError", code: "data-corrupt" });
	});

	test("a file of a later version is refused", async () => {
		await withStore(async () => undefined);
		const database = new DatabaseSync(path);
		database.exec("insert into kysely_migration values ('9999-tomorrow', '2030-01-01')");
		database.close();
		await assert.rejects(openStore(path), { name: "ExternalError", code: "data-newer", message: /9999-tomorrow/ });
	});

	test("a folder that cannot be made is named", async () => {
		await assert.rejects(openStore("/dev/null/x/netboot.db"), { name: "ExternalError", code: "data-unreadable" });
	});
});

describe("devices", () => {
	test("a row comes back as it was saved, and a save replaces it", async () => {
		const row = deviceRow(1, { sshHostKeys: '{"ed25519":"x_y"}', address: "192.0.2.7", addressAt: 2 ** 41 });
		await withStore(async ({ devices }) => {
			await devices.save(deviceRow(1));
			await devices.save(row);
		});
		await withStore(async ({ devices }) => assert.deepEqual(await devices.list(), [row]));
	});

	test("former ids stay with the device that had them first", async () => {
		await withStore(async ({ devices }) => {
			await devices.save(deviceRow(1, { id: "dca600000001" }));
			await devices.save(deviceRow(1, { id: "00000001" }));
			await devices.save(deviceRow(2, { id: "00000002" }));
			await devices.addId(2, "00000001");
			assert.deepEqual((await devices.ids()).map(({ id, deviceKey }) => `${id}=${deviceKey}`).sort(), [
				"00000001=1",
				"00000002=2",
				"dca600000001=1",
			]);
		});
	});

	test("a key is never used again, and a removed device takes its ids and boots along", async () => {
		await withStore(async ({ devices, boots }) => {
			assert.equal(await devices.nextKey(), 1);
			await devices.save(deviceRow(41));
			await boots.insert(bootRow(41, "a"));
			await boots.saveStages("a", [{ stage: "dhcp", at: 1 }]);
			await devices.remove([41]);
			assert.equal(await devices.nextKey(), 42);
			assert.deepEqual(await devices.ids(), []);
			assert.equal(await boots.get("a"), undefined);
		});
	});

	test("two devices with one MAC address or one id are refused", async () => {
		await withStore(async ({ devices }) => {
			await devices.save(deviceRow(1));
			await assert.rejects(devices.save({ ...deviceRow(2), mac: deviceRow(1).mac }), /UNIQUE/);
			await assert.rejects(devices.save({ ...deviceRow(2), id: deviceRow(1).id }), /UNIQUE/);
		});
	});
});

describe("leases", () => {
	test("are replaced by their address, and come back with what ends first, first", async () => {
		const lease = (address: string, expiresAt: number, state = "leased") => {
			return { address, mac: "dc:a6:32:00:00:01", state, expiresAt };
		};
		await withStore(async ({ leases }) => {
			await leases.save([lease("192.0.2.7", 9), lease("192.0.2.8", 5), lease("192.0.2.9", 1)], []);
			await leases.save([lease("192.0.2.7", 2, "released")], ["192.0.2.9", "192.0.2.10"]);
		});
		await withStore(async ({ leases }) => {
			assert.deepEqual(await leases.list(), [lease("192.0.2.7", 2, "released"), lease("192.0.2.8", 5)]);
		});
	});
});

describe("boots", () => {
	test("history gives the newest first, with stages in the order of time", async () => {
		await withStore(async ({ devices, boots }) => {
			await devices.save(deviceRow(1));
			for (const at of [10, 20, 30]) await boots.insert(bootRow(1, `b${at}`, { startedAt: at }));
			await boots.saveStages("b30", [
				{ stage: "firmware", at: 32 },
				{ stage: "dhcp", at: 31 },
			]);
			await boots.saveStages("b30", [
				{ stage: "firmware", at: 42 },
				{ stage: "dhcp", at: 41 },
			]);
			const history = await boots.history(1, 2);
			assert.deepEqual(
				history.map((boot) => boot.id),
				["b30", "b20"],
			);
			assert.deepEqual(history[0]?.stages, [
				{ stage: "dhcp", at: 41 },
				{ stage: "firmware", at: 42 },
			]);
		});
	});

	test("pruning keeps the newest and those that did not end", async () => {
		await withStore(async ({ devices, boots }) => {
			await devices.save(deviceRow(1));
			for (const at of [1, 2, 3, 4]) {
				await boots.insert(bootRow(1, `b${at}`, { startedAt: at, endedAt: at === 1 ? null : at }));
			}
			await boots.prune(1, 2);
			assert.deepEqual(
				(await boots.history(1, 9)).map((boot) => boot.id),
				["b4", "b3", "b1"],
			);
			assert.deepEqual(
				(await boots.live()).map((boot) => boot.id),
				["b1"],
			);
		});
	});
});

test("layers are found by device and build, and listed by their last use", async () => {
	await withStore(async ({ layers }) => {
		const layer = { imageId: "i", mode: "persistent", state: "live", deviceKey: 1 };
		await layers.insert({ ...layer, id: "x", path: "/x", buildId: "b1", createdAt: 1, lastUsedAt: 9 });
		await layers.insert({ ...layer, id: "y", path: "/y", buildId: "b2", createdAt: 2, lastUsedAt: 3 });
		assert.deepEqual(
			(await layers.list()).map((row) => row.id),
			["y", "x"],
		);
		assert.deepEqual(
			(await layers.ofDevice(1)).map((row) => row.id),
			["y", "x"],
		);
		assert.deepEqual(
			(await layers.ofDevice(1, "b1")).map((row) => row.id),
			["x"],
		);
		await layers.update("x", { state: "dropped", lastUsedAt: 1 });
		assert.equal((await layers.get("x"))?.state, "dropped");
		await layers.remove("x");
		assert.equal(await layers.get("x"), undefined);
	});
});

test("settings survive a restart, and undefined takes one away", async () => {
	await withStore(async ({ settings }) => {
		assert.equal(settings.get("allowedHosts"), undefined);
		await settings.set("allowedHosts", ["netboot.lan"]);
		await settings.set("dhcpMode", "full");
		await settings.set("dhcpMode", undefined);
	});
	await withStore(async ({ settings }) => {
		assert.deepEqual(settings.get("allowedHosts"), ["netboot.lan"]);
		assert.equal(settings.get("dhcpMode"), undefined);
	});
});

describe("transactions", () => {
	test("one that throws leaves nothing behind", async () => {
		await withStore(async (store) => {
			const failing = store.transaction(async ({ devices }) => {
				await devices.save(deviceRow(1));
				throw new Error("on purpose");
			});
			await assert.rejects(failing, /on purpose/);
			assert.deepEqual(await store.devices.list(), []);
		});
	});

	test("what others store meanwhile waits, and is not undone with it", async () => {
		await withStore(async (store) => {
			let other: Promise<void> | undefined;
			const failing = store.transaction(async ({ devices }) => {
				await devices.save(deviceRow(1));
				other = store.devices.save(deviceRow(2));
				await devices.save(deviceRow(3));
				throw new Error("on purpose");
			});
			await assert.rejects(failing, /on purpose/);
			await other;
			assert.deepEqual(
				(await store.devices.list()).map((row) => row.key),
				[2],
			);
		});
	});

	test("syncs that are asked for together all resolve", async () => {
		await withStore(async (store) => {
			await store.settings.set("serverIp", "192.0.2.1");
			await Promise.all([store.durable(), store.durable(), store.durable()]);
			await store.durable();
		});
	});
});

/** Starts the writer, kills it with -9 when it has acknowledged `acknowledgements` boots, gives the last one. */
function writeAndKill(first: number, acknowledgements: number): Promise<number> {
	const writer = fileURLToPath(new URL("./testing/writer.ts", import.meta.url));
	const child = spawn(process.execPath, [writer, path, String(first)], { stdio: ["ignore", "pipe", "inherit"] });
	let last = first - 1;
	createInterface({ input: child.stdout }).on("line", (line) => {
		last = Number(line);
		if (last >= first + acknowledgements) child.kill("SIGKILL");
	});
	return new Promise((resolve, reject) => {
		child.on("close", (_code, signal) => {
			if (signal === "SIGKILL") resolve(last);
			else reject(new Error("the writer ended by itself"));
		});
	});
}

test("kill -9 loses nothing that was acknowledged and tears no transaction", async () => {
	await withStore(({ devices }) => devices.save(deviceRow(1)));
	let next = 1;
	for (const acknowledgements of [1, 17, 60, 5]) {
		const last = await writeAndKill(next, acknowledgements);
		next = await withStore(async ({ boots, devices }) => {
			const history = await boots.history(1, 100_000);
			const stored = history.length;
			assert.ok(stored >= last, `acknowledged ${last}, found ${stored}`);
			assert.deepEqual(
				history.map((boot) => boot.startedAt),
				Array.from({ length: stored }, (_, index) => stored - index),
			);
			assert.equal((await devices.list())[0]?.bootCount, stored);
			return stored + 1;
		});
	}
});
