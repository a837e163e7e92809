import assert from "node:assert/strict";
import { truncateSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { pino } from "pino";
import { FileError, whenReady } from "../base/index.ts";
import type { Device } from "../devices/index.ts";
import { type Client, clientAt, Site } from "./testing/site.ts";

function failsWith(code: string) {
	return (error: unknown) => error instanceof FileError && error.code === code;
}

function stagesOf(site: Site, device: Device): string[] {
	return site.registry.stages(device).map(({ stage }) => stage);
}

/** Lets the look-up in the neighbour table end. */
function settled(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}

async function lookup(site: Site, handle: Buffer, names: readonly string[], client: Client): Promise<Buffer> {
	let at = handle;
	for (const name of names) {
		const { export: exported, node } = await site.resolve(at, client);
		const ino = await whenReady(() => node.tree.lookup(node.ino, name));
		at = exported.handleOf(exported.cross({ tree: node.tree, ino }));
	}
	return at;
}

describe("who may mount", () => {
	test("a device from its own address, and from one that nobody knows", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const path = await site.begin(device, client);
		const handle = await site.nfs.mount(path, client);
		assert.deepEqual(await site.nfs.mount(path, clientAt("192.0.2.200")), handle);
		assert.equal(site.registry.bootsOf(device)[0]?.mountedAt, site.clock.now());
	});

	test("as often as it likes, but that is stored and said once of each address", async (context) => {
		const lines: string[] = [];
		const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
		await using site = await Site.open({}, log);
		const { device, client } = site.pi();
		const path = await site.begin(device, client);
		lines.length = 0;
		await Promise.all(Array.from({ length: 20 }, () => site.nfs.mount(path, client)));
		assert.deepEqual(lines, ["mounts its root (persistent) from 192.0.2.21"]);
		const stored = context.mock.method(site.registry, "bootMounted");
		const again = clientAt("192.0.2.200");
		for (let round = 0; round < 50; round++) {
			for (const from of [client, again]) assert.ok(await site.nfs.mount(path, from));
		}
		assert.deepEqual([stored.mock.callCount(), lines[1]], [1, "mounts its root (persistent) from 192.0.2.200"]);
		assert.equal(lines.length, 2);
	});

	test("again what could not be stored: who mounts without that would begin another boot", async (context) => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const path = await site.begin(device, client);
		const failing = context.mock.method(site.registry, "bootMounted", () => Promise.reject(new Error("disk full")));
		for (let round = 0; round < 2; round++) await assert.rejects(site.nfs.mount(path, client), /disk full/);
		failing.mock.restore();
		await site.nfs.mount(path, client);
		assert.equal(site.registry.bootsOf(device)[0]?.mountedAt, site.clock.now());
	});

	test("not another device, which the page is told", async () => {
		await using site = await Site.open();
		const [one, two] = [site.pi(1), site.pi(2)];
		const path = await site.begin(one.device, one.client);
		await site.begin(two.device, two.client);
		await assert.rejects(site.nfs.mount(path, two.client), failsWith("EACCES"));
		assert.equal(site.registry.bootsOf(one.device)[0]?.mountedAt, null);
		assert.equal(site.registry.diagnosis(two.device)?.code, "mount-refused");
	});

	test("not another device that the neighbour table knows behind a new address", async () => {
		await using site = await Site.open();
		const [one, two] = [site.pi(1), site.pi(2)];
		const path = await site.begin(one.device, one.client);
		site.neighbours.set("192.0.2.200", two.device.mac);
		await assert.rejects(site.nfs.mount(path, clientAt("192.0.2.200")), failsWith("EACCES"));
	});

	test("the neighbour table gives an address back that was another's before", async () => {
		await using site = await Site.open();
		const [one, two] = [site.pi(1), site.pi(2)];
		const path = await site.begin(one.device, one.client);
		site.registry.bind(two.device, "192.0.2.200", "lease");
		site.neighbours.set("192.0.2.200", one.device.mac);
		assert.ok(await site.nfs.mount(path, clientAt("192.0.2.200")));
		assert.equal(site.registry.deviceAt("192.0.2.200"), one.device);
	});

	test("nobody what is no path of a boot", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const path = await site.begin(device, client);
		const others = [
			"",
			"/",
			"/pi",
			path.slice(0, -1),
			`${path}/`,
			`${path}0`,
			path.toUpperCase(),
			`/pi/${"0".repeat(8)}/..`,
		];
		for (const other of others) await assert.rejects(site.nfs.mount(other, client), failsWith("ENOENT"), other);
		const guess = path.replace(/.{32}$/, "0".repeat(32));
		await assert.rejects(site.nfs.mount(guess, client), failsWith("ENOENT"));
	});

	test("any text as a path is refused in our words", async () => {
		await using site = await Site.open(null);
		const client = clientAt("192.0.2.200");
		await fc.assert(
			fc.asyncProperty(fc.string({ maxLength: 1024 }), async (path) => {
				await assert.rejects(site.nfs.mount(path, client), failsWith("ENOENT"));
			}),
			{ numRuns: 50 },
		);
	});
});

describe("who may use a handle", () => {
	test("its device, an address that is not known, but no other device", async () => {
		await using site = await Site.open();
		const [one, two] = [site.pi(1), site.pi(2)];
		const handle = await site.boot(one.device, one.client);
		await site.begin(two.device, two.client);
		assert.ok(await site.resolve(handle, one.client));
		assert.ok(await site.resolve(handle, clientAt("192.0.2.200")));
		await assert.rejects(site.resolve(handle, two.client), failsWith("EACCES"));
	});

	test("an unknown address is put out when it turns out to be another device's", async () => {
		await using site = await Site.open();
		const [one, two] = [site.pi(1), site.pi(2)];
		const handle = await site.boot(one.device, one.client);
		site.neighbours.set("192.0.2.200", two.device.mac);
		const stranger = clientAt("192.0.2.200");
		await site.resolve(handle, stranger);
		await settled();
		await assert.rejects(site.resolve(handle, stranger), failsWith("EACCES"));
	});

	test("a second address of the device becomes its own", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const handle = await site.boot(device, client);
		site.neighbours.set("192.0.2.200", device.mac);
		await site.resolve(handle, clientAt("192.0.2.200"));
		await settled();
		assert.equal(site.registry.deviceAt("192.0.2.200"), device);
	});

	test("a look-up that fails harms nobody", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const handle = await site.boot(device, client);
		site.neighbours.get = () => {
			throw new Error("the table cannot be read");
		};
		const stranger = clientAt("192.0.2.200");
		assert.ok(await site.resolve(handle, stranger));
		await settled();
		assert.ok(await site.resolve(handle, stranger));
	});

	test("nobody one that we did not make", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const handle = await site.boot(device, client);
		await assert.rejects(site.resolve(Buffer.alloc(36), client), failsWith("EINVAL"));
		fc.assert(
			fc.property(fc.nat({ max: handle.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, bits) => {
				const forged = Buffer.from(handle);
				forged[at] = (forged[at] ?? 0) ^ bits;
				assert.throws(() => site.nfs.resolve(forged, client), failsWith("EINVAL"));
			}),
		);
	});
});

describe("what a root tells of its boot", () => {
	test("the stages: root at the mount, userspace at the first use of /etc/os-release", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const handle = await site.boot(device, client);
		assert.equal(stagesOf(site, device).at(-1), "root");
		await lookup(site, handle, ["etc"], client);
		assert.equal(stagesOf(site, device).at(-1), "root");
		await site.resolve(await lookup(site, handle, ["etc", "os-release"], client), client);
		assert.equal(stagesOf(site, device).at(-1), "userspace");
	});

	test("what was read of the root until then, and afterwards", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const handle = await site.boot(device, client);
		const { meter } = await site.resolve(handle, client);
		assert.ok(meter);
		const sent = () => site.registry.attempts(device)[0]?.stages.map(({ stage, bytes }) => `${stage} ${bytes}`);
		meter.bytesRead += 700;
		await site.resolve(await lookup(site, handle, ["etc", "os-release"], client), client);
		assert.deepEqual([sent()?.slice(-2), meter.bytesRead], [["root 700", "userspace 0"], 0]);
		meter.bytesRead += 5;
		site.clock.advance(15_000);
		await site.resolve(handle, client);
		assert.equal(sent()?.at(-1), "userspace 5");
	});

	test("userspace also when the server was started again after the mount", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const handle = await site.boot(device, client);
		await site.restart();
		const again = clientAt(client.address);
		const found = site.registry.get(device.id);
		assert.ok(found);
		await site.resolve(await lookup(site, handle, ["etc", "os-release"], again), again);
		assert.equal(stagesOf(site, found).at(-1), "userspace");
	});

	test("an old kernel that goes on does not speak for the boot that is about to begin", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const handle = await site.boot(device, client);
		site.clock.advance(60_000);
		await site.begin(device, client);
		await site.resolve(handle, client);
		assert.equal(stagesOf(site, device).at(-1), "firmware");
	});

	test("an image that was overwritten in place makes the client wait, and the page say reboot", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const handle = await site.boot(device, client);
		const release = await lookup(site, handle, ["etc", "os-release"], client);
		await site.resolve(release, client);
		const build = site.images.newest?.build;
		assert.ok(build);
		truncateSync(build.path, 1024);
		await build.check();
		const { node } = await site.resolve(handle, client);
		await assert.rejects(
			whenReady(() => node.tree.lookup(node.ino, "sbin")),
			failsWith("EAGAIN"),
		);
		assert.equal(site.registry.diagnosis(device)?.code, "image-changed");
		assert.match(site.registry.diagnosis(device)?.fix ?? "", /Reboot/);
		await assert.rejects(site.resolve(handle, clientAt(client.address)), failsWith("EAGAIN"));
	});

	test("the portmapper's question is noted for the device that asks, and for nobody else", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		await site.begin(device, client);
		site.nfs.portmapAsked("192.0.2.200");
		assert.equal(stagesOf(site, device).at(-1), "firmware");
		site.nfs.portmapAsked(client.address);
		assert.equal(stagesOf(site, device).at(-1), "kernel");
		site.nfs.unmount(undefined, client);
	});
});
