/** What a person asks of the roots, at a server without sockets: real databases and files. */
import assert from "node:assert/strict";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { whenReady } from "../base/index.ts";
import type { Device } from "../devices/index.ts";
import { PI_ROOT } from "../vfs/image/testing/images.ts";
import { type Client, openImage, Site } from "./testing/site.ts";

const DAY = 86_400_000;

const filesOf = (site: Site) => readdirSync(site.rootsFolder, { recursive: true }).map(String).sort();
const poolsOf = (site: Site) => filesOf(site).filter((name) => name.endsWith(".pool"));

async function changesOf(site: Site, device: Device): Promise<string[]> {
	const { changes, isComplete } = await site.roots.care.changes(device);
	assert.ok(isComplete);
	return changes.map(({ kind, path }) => `${kind} ${path}`);
}

/** Writes bytes to a new file in the top directory. */
async function fill(site: Site, handle: Buffer, name: string, bytes: number, client: Client): Promise<void> {
	const { export: exported, node } = await site.resolve(handle, client);
	await whenReady(() =>
		exported.transaction(() => {
			const ino = node.tree.create(node.ino, name, { mode: 0o644, uid: 0, gid: 0 });
			node.tree.write(ino, 0, Buffer.alloc(bytes, name));
		}),
	);
}

describe("what a device changed", () => {
	it("is named by its paths while it runs, when it is off, and after a restart", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		await assert.rejects(site.roots.care.changes(device), { code: "conflict" });
		const root = await site.boot(device, client);
		assert.deepEqual(await changesOf(site, device), []);
		await site.write(root, "mine", client);
		site.clock.advance(10_001);
		assert.deepEqual(await changesOf(site, device), ["added /mine"]);
		await site.restart();
		const again = site.registry.get(device.id) ?? assert.fail();
		assert.deepEqual(await changesOf(site, again), ["added /mine"]);
		const [use, ...others] = await site.roots.care.rootsOf(again);
		assert.equal(others.length, 0);
		assert.ok(use?.isCurrent && use.bytes > 0 && use.imageId === "pi", JSON.stringify(use));
	});
});

describe("a snapshot", () => {
	it("is taken while the Pi runs, and its next boots begin with it, time and again", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const root = await site.boot(device, client);
		await site.write(root, "before", client);
		const taken = await site.roots.care.takeSnapshot(device, "clean");
		assert.ok(taken.bytes > 0);
		await site.write(root, "after", client);
		for (const _ of [1, 2]) {
			await site.roots.care.restoreSnapshot(device, "clean");
			assert.ok(await site.has(root, "after", client), "who runs goes on with what he has");
			const next = await site.boot(device, client);
			assert.deepEqual([await site.has(next, "before", client), await site.has(next, "after", client)], [true, false]);
			await site.write(next, "after", client);
			root.set(next);
		}
		await site.pass(6 * 60_000);
		await site.pass(6 * 60_000);
		assert.equal(poolsOf(site).length, 2, "the root and the snapshot; what they replaced is gone");
		const [kept, ...others] = site.roots.care.keptOf("pi").values();
		assert.deepEqual([kept?.roots, others, site.roots.care.keptOf("other").size], [1, [], 0]);
		assert.ok(kept && kept.bytes > 0);
		assert.deepEqual(
			(await site.roots.care.snapshots.list(device)).map(({ name }) => name),
			["clean"],
		);
		await site.roots.care.removeSnapshot(device, "clean");
		assert.equal(poolsOf(site).length, 1);
		await assert.rejects(site.roots.care.restoreSnapshot(device, "clean"), { code: "snapshot-not-found" });
	});

	it("takes the place of a wish for a fresh root, and of a boot that was never mounted", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const root = await site.boot(device, client);
		await site.write(root, "before", client);
		await site.roots.care.takeSnapshot(device, "clean");
		await site.write(root, "after", client);
		await site.begin(device, client);
		await site.registry.resetRoot(device.id);
		await site.roots.care.restoreSnapshot(device, "clean");
		const next = await site.boot(device, client);
		assert.deepEqual([await site.has(next, "before", client), await site.has(next, "after", client)], [true, false]);
	});

	it("keeps no image that no Pi runs", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const held = () => site.images.holders.get(site.images.newest?.build.id ?? "");
		const root = await site.boot(device, client);
		await site.roots.care.takeSnapshot(device, "clean");
		site.roots.letGo();
		assert.ok(await site.has(root, "etc", client), "a Pi that runs keeps its root");
		for (const { id } of site.registry.bootsOf(device)) await site.registry.bootEnded(id);
		assert.equal(held(), 1);
		site.roots.letGo();
		assert.equal(held(), 0);
	});

	it("is refused with a sentence where it cannot be", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		await assert.rejects(site.roots.care.takeSnapshot(device, "x"), { code: "conflict" });
		await site.boot(device, client);
		const both = await Promise.allSettled([1, 2].map(() => site.roots.care.takeSnapshot(device, "x")));
		assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
		await assert.rejects(site.roots.care.takeSnapshot(device, "x"), /has a snapshot "x" already/);
		await site.registry.patch(device.id, { rootMode: "ephemeral" });
		await assert.rejects(site.roots.care.restoreSnapshot(device, "x"), /not kept over its boots/);
		await site.boot(device, client);
		await assert.rejects(site.roots.care.takeSnapshot(device, "y"), /not kept over its boots/);
		await site.registry.patch(device.id, { rootMode: "persistent" });
		site.images.put(await openImage(site.folder, { name: "newer.img", root: { ...PI_ROOT, "etc/new": "build" } }));
		await assert.rejects(site.roots.care.restoreSnapshot(device, "x"), /another build/);
	});

	it("is whole or not there, wherever the server is killed", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const root = await site.boot(device, client);
		await site.write(root, "before", client);
		await site.roots.care.takeSnapshot(device, "whole");
		const { snapshots } = site.store;
		// The files are there, the row is not.
		const insert = snapshots.insert.bind(snapshots);
		snapshots.insert = async () => {
			writeFileSync(join(site.rootsFolder, "snapshots", "1-dead.db"), "left by a server that was killed");
			throw new Error("killed");
		};
		await assert.rejects(site.roots.care.takeSnapshot(device, "half"), /killed/);
		snapshots.insert = insert;
		// A layer was restored, and its row is not there.
		const { transaction } = site.store;
		Object.assign(site.store, { transaction: () => Promise.reject(new Error("killed")) });
		await assert.rejects(site.roots.care.restoreSnapshot(device, "whole"), /killed/);
		Object.assign(site.store, { transaction });
		writeFileSync(join(site.rootsFolder, "1-beef.pool"), "left by a server that was killed");
		await site.restart();
		await site.roots.care.clearLeftovers();
		assert.equal(filesOf(site).filter((name) => /dead|beef/.test(name)).length, 0);
		assert.equal(poolsOf(site).length, 2);
		const again = site.registry.get(device.id) ?? assert.fail();
		assert.ok(await site.has(await site.boot(again, client), "before", client));
		// The row went, its files did not.
		const whole = await site.roots.care.snapshots.get(again, "whole");
		await site.store.snapshots.remove(whole.id);
		await site.roots.care.clearLeftovers();
		assert.equal(poolsOf(site).length, 1);
	});
});

describe("the quota of a device", () => {
	it("is its own or the default, holds at once, and is what the Pi is told", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const root = await site.boot(device, client);
		await fill(site, root, "first", 300_000, client);
		await site.registry.patch(device.id, { quotaBytes: 400_000 });
		site.roots.care.applyQuotas();
		await assert.rejects(fill(site, root, "second", 300_000, client), { code: "EDQUOT" });
		const { node } = await site.resolve(root, client);
		assert.equal(node.tree.statfs().totalBytes, 400_000);
		await whenReady(() => node.tree.remove(node.ino, "first"));
		await fill(site, root, "second", 300_000, client);
		await site.store.settings.set("defaultQuotaBytes", 1_000_000);
		await site.registry.patch(device.id, { quotaBytes: null });
		await site.restart();
		const { node: again } = await site.resolve(root, client);
		assert.equal(again.tree.statfs().totalBytes, 1_000_000);
		await site.registry.patch(device.id, { quotaBytes: 0 });
		site.roots.care.applyQuotas();
		assert.ok(again.tree.statfs().totalBytes > 1_000_000);
		await assert.rejects(site.registry.patch(device.id, { quotaBytes: -1 }), { code: "invalid-request" });
	});
});

describe("roots of older builds", () => {
	it("go by the rule, never the one that is in use, and what all take does not grow", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		let root = await site.boot(device, client);
		for (let build = 1; build <= 8; build++) {
			site.images.put(
				await openImage(site.folder, { name: `b${build}.img`, root: { ...PI_ROOT, "etc/build": String(build) } }),
			);
			await site.pass(1000);
			assert.ok((await site.nfs.resolve(root, client)) !== undefined, "the old kernel goes on");
			root = await site.boot(device, client);
			await site.pass(10 * 60_000);
			await site.pass(10 * 60_000);
			assert.ok(poolsOf(site).length <= 3, poolsOf(site).join());
		}
		assert.equal(poolsOf(site).length, 3);
		assert.ok(site.roots.care.bytesOf(device) > 0);
		assert.equal(site.roots.care.total().bytes, site.roots.care.bytesOf(device));
		await site.store.settings.set("rootBudgetBytes", 0);
		await site.pass(1000);
		assert.equal(poolsOf(site).length, 1);
		rmSync(join(site.folder, "b1.img"));
	});

	it("stay while their image is not there", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		await site.boot(device, client);
		site.images.newest = undefined;
		await site.pass(100 * DAY);
		assert.equal(poolsOf(site).length, 1);
	});
});
