import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { BlockFault, FileError } from "../base/index.ts";
import { PI_ROOT } from "../vfs/image/testing/images.ts";
import { clientAt, openImage, Site } from "./testing/site.ts";

const MINUTE = 60_000;

function failsWith(code: string) {
	return (error: unknown) => {
		assert.ok(error instanceof FileError, String(error));
		assert.equal(error.code, code, error.message);
		return true;
	};
}

describe("a boot", () => {
	test("is the same when its command line is asked for again before the root is mounted, and another one after", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const first = await site.begin(device, client);
		assert.equal(await site.begin(device, client), first);
		assert.equal(device.bootCount, 1);
		await site.nfs.mount(first, client);
		assert.notEqual(await site.begin(device, client), first);
		assert.equal(device.bootCount, 2);
	});

	test("is one boot for two requests at once", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		await site.boot(device, client);
		site.clock.advance(10_000);
		const other = { ...client, port: 701 };
		const paths = await Promise.all([
			site.begin(device, client),
			site.begin(device, other),
			site.begin(device, client),
		]);
		assert.equal(new Set(paths).size, 1);
		assert.equal(device.bootCount, 2);
	});

	test("takes the newest build with a fresh layer, and the old kernel goes on in its own", async () => {
		await using site = await Site.open({ root: { ...PI_ROOT, "etc/which": "old" } });
		const { device, client } = site.pi();
		const old = await site.boot(device, client);
		await site.write(old, "mine", client);
		site.images.put(await openImage(site.folder, { name: "new.img", root: { ...PI_ROOT, "etc/which": "new!" } }));
		const young = await site.boot(device, { ...client, connection: {} });
		assert.equal(await site.has(young, "mine", client), false);
		assert.equal(await site.has(old, "mine", client), true);
	});
});

describe("modes", () => {
	for (const [mode, kept] of [
		["persistent", true],
		["ephemeral", false],
	] as const) {
		test(`${mode}: what was written is ${kept ? "" : "not "}there after a reboot`, async () => {
			await using site = await Site.open();
			const { device, client } = site.pi();
			await site.registry.patch(device.id, { rootMode: mode });
			const before = await site.boot(device, client);
			await site.write(before, "mine", client);
			site.nfs.disconnected(client);
			const again = clientAt(client.address);
			const after = await site.boot(device, again);
			assert.equal(await site.has(after, "mine", again), kept);
		});
	}

	test("read-only: every change is refused, and the command line says ro", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		await site.registry.patch(device.id, { rootMode: "read-only" });
		const line = await site.fetch(`${device.serial}/cmdline.txt`, client);
		assert.match(line?.toString() ?? "", / ro ip=dhcp/);
		const handle = await site.boot(device, client);
		await assert.rejects(site.write(handle, "mine", client), failsWith("EROFS"));
		assert.deepEqual(readdirSync(site.rootsFolder), []);
	});

	test("two Pis on one image never see each other's files", async () => {
		await using site = await Site.open();
		const [one, two] = [site.pi(1), site.pi(2)];
		const mine = await site.boot(one.device, one.client);
		const theirs = await site.boot(two.device, two.client);
		await site.write(mine, "mine", one.client);
		assert.equal(await site.has(theirs, "mine", two.client), false);
	});
});

describe("a reset", () => {
	test("gives the next boot a new layer, and the old one goes when its kernel has gone", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const old = await site.boot(device, client);
		await site.write(old, "mine", client);
		await site.registry.resetRoot(device.id);
		assert.equal(await site.has(old, "mine", client), true, "nothing happens before the next boot");
		const again = clientAt(client.address);
		const fresh = await site.boot(device, again);
		assert.equal(device.rootReset, false);
		assert.equal(await site.has(fresh, "mine", again), false);
		await site.pass(MINUTE);
		assert.equal((await site.store.layers.list()).length, 2);
		site.nfs.disconnected(client);
		await site.pass(6 * MINUTE);
		await site.pass(MINUTE);
		assert.equal((await site.store.layers.list()).length, 1);
		assert.equal(await site.has(fresh, "mine", again), false);
	});

	test("drops what was kept also when the next boot keeps nothing", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		await site.write(await site.boot(device, client), "mine", client);
		await site.registry.patch(device.id, { rootMode: "read-only" });
		await site.registry.resetRoot(device.id);
		await site.boot(device, client);
		await site.registry.patch(device.id, { rootMode: "persistent" });
		assert.equal(await site.has(await site.boot(device, client), "mine", client), false);
	});
});

describe("the sweep", () => {
	test("leaves the old kernel its layer until it is silent for five minutes, then drops what was for one boot", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		await site.registry.patch(device.id, { rootMode: "ephemeral" });
		await site.pass(10 * MINUTE);
		const old = await site.boot(device, client);
		const path = await site.begin(device, client);
		await site.pass(10 * MINUTE);
		await site.resolve(old, client);
		const again = clientAt(client.address);
		const young = await site.nfs.mount(path, again);
		await site.pass(4 * MINUTE);
		await site.resolve(young, again);
		await site.resolve(old, client);
		await site.pass(4 * MINUTE);
		assert.ok(await site.resolve(old, client), "it spoke four minutes ago");
		await site.pass(6 * MINUTE);
		await assert.rejects(site.resolve(old, client), failsWith("ESTALE"));
		assert.ok(await site.resolve(young, again));
		assert.equal((await site.store.layers.list()).length, 1);
		assert.deepEqual(readdirSync(site.rootsFolder).filter((name) => name.endsWith(".db")).length, 1);
	});

	test("ends an old boot at once that has its root in common with the one that runs", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const path = await site.begin(device, client);
		const handle = await site.nfs.mount(path, client);
		await site.boot(device, client);
		assert.equal(site.registry.bootsOf(device).length, 2);
		await site.pass(1000);
		assert.equal(site.registry.bootsOf(device).length, 1);
		assert.ok(await site.resolve(handle, client), "the root itself is in use");
		await assert.rejects(site.nfs.mount(path, client), failsWith("ENOENT"));
	});

	test("does not end a boot because the server was started a moment ago", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		await site.registry.patch(device.id, { rootMode: "ephemeral" });
		const old = await site.boot(device, client);
		await site.boot(device, client);
		await site.restart();
		await site.pass(MINUTE);
		const again = clientAt(client.address);
		assert.ok(await site.resolve(old, again));
	});

	test("closes the root of a Pi that is off, so that its image can be deleted, and opens it again", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const handle = await site.boot(device, client);
		await site.write(handle, "mine", client);
		const build = site.images.newest?.build.id ?? "";
		await site.pass(61 * MINUTE);
		assert.equal(site.images.holders.get(build), 1, "its connection is open");
		site.nfs.disconnected(client);
		await site.pass(1);
		assert.equal(site.images.holders.get(build), 0);
		assert.equal(await site.has(handle, "mine", clientAt(client.address)), true);
	});

	test("never closes a root whose image was replaced: it could not be opened again", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		await site.boot(device, client);
		const build = site.images.newest?.build.id ?? "";
		site.nfs.disconnected(client);
		site.images.put(await openImage(site.folder, { name: "new.img", root: { ...PI_ROOT, "etc/which": "new" } }));
		await site.pass(61 * MINUTE);
		assert.equal(site.images.holders.get(build), 1);
	});

	test("leaves an image alone that nobody uses any more", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		await site.registry.patch(device.id, { rootMode: "ephemeral" });
		const build = site.images.newest?.build.id ?? "";
		await site.boot(device, client);
		assert.equal(site.images.holders.get(build), 1);
		await site.boot(device, client);
		assert.equal(site.images.holders.get(build), 2);
		site.nfs.disconnected(client);
		await site.pass(6 * MINUTE);
		await site.pass(MINUTE);
		assert.equal(site.images.holders.get(build), 1);
		await site.roots.stop();
		assert.equal(site.images.holders.get(build), 0);
	});
});

describe("a root that is opened anew", () => {
	test("leads from the same handles to the same files after a restart", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const handle = await site.boot(device, client);
		await site.write(handle, "mine", client);
		const { export: exported, node } = await site.resolve(handle, client);
		const mine = exported.handleOf({ tree: node.tree, ino: node.tree.lookup(node.ino, "mine") });
		await site.restart();
		const again = clientAt(client.address);
		const found = await site.resolve(mine, again);
		assert.equal(found.node.tree.getattr(found.node.ino).type, "file");
		assert.deepEqual(found.export.writeVerifier, exported.writeVerifier);
		assert.equal(await site.has(handle, "mine", again), true);
	});

	test("has the keys of today at the boot of a Pi that was switched off", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const root = await site.boot(device, client);
		const before = (await site.resolve(root, client)).export;
		site.clock.advance(10_000);
		// Its connection was never closed: the power was cut.
		await site.boot(device, client);
		const after = (await site.resolve(root, client)).export;
		assert.notEqual(after, before);
	});

	test("is not closed under a kernel that works, nor under a file that is sent", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const root = await site.boot(device, client);
		const before = (await site.resolve(root, client)).export;
		await site.begin(device, client);
		assert.equal((await site.resolve(root, client)).export, before);
		site.clock.advance(10_000);
		const file = await site.tftp.open(`${device.serial}/kernel8.img`, client);
		assert.ok(file);
		await site.nfs.mount(await site.begin(device, client), client);
		await site.begin(device, client);
		assert.equal(Buffer.from(await file.read(0, 6)).toString(), "kernel");
		file.close();
	});

	test("is opened once, however many ask at the same time", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const handle = await site.boot(device, client);
		await site.restart();
		const again = site.registry.get(device.id);
		const [boot] = again === undefined ? [] : site.registry.bootsOf(again);
		const image = site.images.newest;
		assert.ok(again && boot && image);
		const [volume, first, second, found] = await Promise.all([
			site.roots.bootVolume(again, image, "persistent"),
			site.roots.openFor(boot),
			site.roots.openFor(boot),
			site.resolve(handle, clientAt(client.address)),
		]);
		assert.equal(first, second);
		assert.equal(found.export, first.root);
		assert.equal(first.leases, 1);
		volume?.release();
		assert.equal(first.leases, 0);
		assert.equal(site.images.holders.get(image.build.id), 1);
	});

	test("makes a call that waited on the closed one run on the new one", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const handle = await site.boot(device, client);
		await site.restart();
		let fault: unknown;
		try {
			site.nfs.resolve(handle, client);
		} catch (error) {
			fault = error;
		}
		assert.ok(fault instanceof BlockFault);
		await fault.ready;
		assert.ok(site.nfs.resolve(handle, client));
	});
});

describe("what is over", () => {
	test("a root whose image is gone is stale, but not before the library had time to find it, and the page says reboot", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const handle = await site.boot(device, client);
		const image = site.images.newest;
		assert.ok(image);
		await site.restart();
		site.images.lose(image.build.id);
		await assert.rejects(site.resolve(handle, client), failsWith("EAGAIN"));
		site.clock.advance(MINUTE);
		site.images.importing = true;
		await assert.rejects(site.resolve(handle, client), failsWith("EAGAIN"));
		site.images.importing = false;
		site.clock.advance(MINUTE);
		await assert.rejects(site.resolve(handle, client), failsWith("ESTALE"));
		assert.equal(site.registry.diagnosis(device)?.code, "image-changed");
		await image.build.close();
	});

	test("no root is opened once the keeper was stopped", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const handle = await site.boot(device, client);
		await site.registry.patch(device.id, { rootMode: "ephemeral" });
		const beginning = assert.rejects(site.begin(device, client), failsWith("EAGAIN"));
		await site.roots.stop();
		await beginning;
		await assert.rejects(site.resolve(handle, client), failsWith("EAGAIN"));
		assert.equal(site.images.holders.get(site.images.newest?.build.id ?? ""), 0);
	});
});
