import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { FileError, whenReady } from "../../base/index.ts";
import type { Device } from "../../devices/index.ts";
import type { ImageFacts } from "../../images/index.ts";
import { type Client, clientAt, openImage, Site } from "../testing/site.ts";

const FOLDER = ["opt", "netboot-imager"];
const PROGRAM = "netboot-imager-service.py";
const SYSTEM: Partial<ImageFacts> = { init: "systemd", python3: true };

async function siteWith(facts: Partial<ImageFacts>): Promise<Site> {
	const site = await Site.open(null);
	await put(site, facts);
	return site;
}

/** The same image, as if it had been found to be like this. */
async function put(site: Site, facts: Partial<ImageFacts>): Promise<void> {
	const image = site.images.newest ?? (await openImage(site.folder));
	site.images.put({ ...image, facts: { ...image.facts, ...facts } });
}

/** What lies in the agent's folder of a mounted root. @throws FileError ENOENT where there is none. */
async function agentFolder(site: Site, handle: Buffer, client: Client) {
	const { export: root, node } = await site.resolve(handle, client);
	return whenReady(() => {
		let at = node;
		for (const name of FOLDER) at = root.cross({ tree: at.tree, ino: at.tree.lookup(at.ino, name) });
		const { tree, ino } = at;
		const read = (name: string) => {
			const content = Buffer.alloc(tree.getattr(tree.lookup(ino, name)).size);
			tree.read(tree.lookup(ino, name), 0, content);
			return content;
		};
		const { mode } = tree.getattr(tree.lookup(ino, "config.json"));
		return { tree, mode, config: JSON.parse(read("config.json").toString()), program: () => read(PROGRAM) };
	});
}

async function reboot(site: Site, device: Device, client: Client) {
	site.nfs.disconnected(client);
	const again = clientAt(client.address);
	return { handle: await site.boot(device, again), client: again };
}

describe("the agent's folder", () => {
	for (const mode of ["persistent", "ephemeral", "read-only"] as const) {
		it(`${mode}: has this server's program, and a config.json with the secret of the boot for root alone`, async () => {
			await using site = await siteWith(SYSTEM);
			const { device, client } = site.pi();
			await site.registry.patch(device.id, { rootMode: mode });
			const { tree, mode: bits, config, program } = await agentFolder(site, await site.boot(device, client), client);
			const [boot] = site.registry.bootsOf(device);
			const { shared_secret: shared, ...others } = config;
			assert.deepEqual(others, {
				allowed_ips: ["127.0.0.1", "192.0.2.1"],
				port: 8888,
				server: "http://192.0.2.1:38434",
				agent_id: boot?.id,
				secret: boot?.secret,
				only_when_netbooted: true,
			});
			assert.match(shared, /^[0-9a-f]{64}$/);
			assert.notEqual(shared, boot?.secret);
			assert.equal(bits, 0o600);
			assert.ok(program().equals(readFileSync(new URL(`../../../../agent/${PROGRAM}`, import.meta.url))));
			assert.throws(() => tree.remove(tree.root, "config.json"), { code: "EROFS" });
		});
	}

	it("has another secret at each boot, also where the root stays open", async () => {
		await using site = await siteWith(SYSTEM);
		const { device, client } = site.pi();
		const handle = await site.boot(device, client);
		const first = await agentFolder(site, handle, client);
		const next = clientAt(client.address);
		const second = await agentFolder(site, await site.boot(device, next), next);
		assert.notEqual(second.config.secret, first.config.secret);
		assert.equal(second.config.secret, site.registry.bootsOf(device)[0]?.secret);
	});

	it("stays with the boot that runs while another one is only asked for", async () => {
		await using site = await siteWith(SYSTEM);
		const { device, client } = site.pi();
		const handle = await site.boot(device, client);
		const before = await agentFolder(site, handle, client);
		await site.begin(device, client);
		assert.deepEqual((await agentFolder(site, handle, client)).config, before.config);
	});

	for (const [what, names] of [
		["an /opt", ["opt"]],
		["that folder", FOLDER],
	] as const) {
		it(`is the server's where the Pi made ${what} of its own in an earlier boot`, async () => {
			await using site = await siteWith({ ...SYSTEM, python3: false });
			const { device, client } = site.pi();
			const handle = await site.boot(device, client);
			const { export: root, node } = await site.resolve(handle, client);
			const file = { mode: 0o755, uid: 0, gid: 0 };
			await whenReady(() =>
				root.transaction(() => {
					let at = node.ino;
					for (const name of names) at = node.tree.mkdir(at, name, file);
					node.tree.write(node.tree.create(at, "config.json", file), 0, Buffer.from('{"secret":"old"}'));
				}),
			);
			await put(site, SYSTEM);
			await site.pass(10_000);
			const next = await reboot(site, device, client);
			const { config } = await agentFolder(site, next.handle, next.client);
			assert.equal(config.secret, site.registry.bootsOf(device)[0]?.secret);
		});
	}

	it("is not there where no Python would run what is in it", async () => {
		await using site = await siteWith({ ...SYSTEM, python3: false });
		const { device, client } = site.pi();
		const handle = await site.boot(device, client);
		await assert.rejects(agentFolder(site, handle, client), (error) => error instanceof FileError);
	});
});
