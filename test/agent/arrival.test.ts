/** Agents as they come to Pis, with a server as a user runs it: clients of the predecessor, and a Pi that was booted by other means. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Device, InstallCode } from "@pi-netboot/api";
import { BlockDevices } from "../harness/block-devices.ts";
import { must, run } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { fetchCmdline, type PiOnCable } from "../harness/export.ts";
import { AGENT, Imager } from "../harness/imager.ts";
import { Lab, SERVER_ADDRESS } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { Server } from "../harness/server.ts";
import { makeSmallImage } from "../harness/small-image.ts";

const READER = fileURLToPath(new URL("../harness/root-reader.ts", import.meta.url));
const CONFIG = "/opt/netboot-imager/config.json";
const MIB = 1024 * 1024;
const TOKEN = "openseastack-netboot-2024";
const NETBOOTED: PiOnCable = { mac: "dc:a6:32:00:00:08", address: "10.77.0.108", serial: "e0ff0608" };
const INSTALLED = { mac: "dc:a6:32:00:00:09", address: "10.77.0.109" };

const skip = await lacks(["ip", "curl", "python3", "losetup", ...IMAGE_PROGRAMS]);

describe("the agent", { skip, timeout: 180_000 }, () => {
	let folder = "";
	let image: Buffer;
	let lab: Lab;
	let server: Server;
	let disks: BlockDevices;
	let agent: Imager | undefined;

	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "arrival-"));
		for (const name of ["images", "images/test-image", "data"]) mkdirSync(join(folder, name));
		const { path } = makeSmallImage(join(folder, "images/test-image"), folder, { ballastMiB: 4 });
		image = readFileSync(path);
		writeFileSync(join(folder, "images/packed.img.gz"), gzipSync(image, { level: 1 }));
		const old = { allowed_ips: [`${SERVER_ADDRESS}/32`], shared_secret: TOKEN, port: 8888 };
		writeFileSync(join(folder, "data/imager.json"), JSON.stringify(old));
		disks = new BlockDevices(folder);
		lab = await Lab.create();
		server = await Server.start(lab, { images: join(folder, "images"), data: join(folder, "data") });
		for (const id of ["test-image", "packed"]) await server.waitForImage(id);
	});

	after(async () => {
		await agent?.stop();
		await server?.stop();
		await disks?.close();
		await lab?.remove();
		await rm(folder, { recursive: true });
	});

	describe("of a netbooted Pi, asked by the predecessor's clients", () => {
		let disk: { device: string; file: string };

		before(async () => {
			disk = await disks.loop(96 * MIB);
			const { exportPath } = await fetchCmdline(lab, NETBOOTED);
			await lab.addHost("pi", { mac: NETBOOTED.mac, address: `${NETBOOTED.address}/24` });
			const files = await must(lab.on("pi", [process.execPath, READER, SERVER_ADDRESS, exportPath, CONFIG]));
			const { only_when_netbooted: _here, ...config } = JSON.parse(JSON.parse(files)[CONFIG]);
			assert.deepEqual([config.port, config.shared_secret], [8888, TOKEN]);
			agent = await Imager.start(folder, { as: lab.on("pi", []), config: { ...config, devices: disk.device } });
		});
		after(() => agent?.stop());

		async function curl(host: string, ...words: string[]): Promise<{ status: number; body: Record<string, unknown> }> {
			const { stdout } = await run(lab.on(host, ["curl", "-sS", "-m", "20", "-w", "\n%{http_code}", ...words]));
			const [body = "{}", status = "0"] = stdout.split(/\n(?=\d+$)/);
			return { status: Number(status), body: JSON.parse(body) };
		}

		const at = (path: string) => `http://${NETBOOTED.address}:8888${path}`;
		const token = ["-H", `X-Netboot-Token: ${TOKEN}`];

		function order(host: string, name: string, ...headers: string[]) {
			const url = `http://${SERVER_ADDRESS}:38434/api/images/download/${name}`;
			const body = { device: disk.device, image_url: url, netboot_ip: SERVER_ADDRESS };
			const json = ["-H", "Content-Type: application/json", "-d", JSON.stringify(body)];
			return curl(host, "-X", "POST", ...headers, ...json, at("/write-image"));
		}

		it("answers /health to everybody, and the rest to the server's address with the token of imager.json", async () => {
			assert.deepEqual((await curl("rtr", at("/health"))).body, { service: "netboot-imager", status: "ok" });
			assert.equal((await order("rtr", "test-image", ...token)).status, 403);
			assert.equal((await order("srv", "test-image")).status, 401);
			assert.equal((await curl("srv", ...token, at("/status"))).body.state, "idle");
		});

		for (const name of ["test-image", "packed", "packed.img.gz"]) {
			it(`writes http://SERVER:38434/api/images/download/${name}, which nobody else may fetch`, async () => {
				writeFileSync(disk.file, Buffer.alloc(96 * MIB, "stale"), { flag: "r+" });
				assert.deepEqual((await order("srv", name, ...token)).body.success, true);
				const end = await eventually("the end of the write", async () => {
					const { body } = await curl("srv", ...token, at("/status"));
					return body.state === "running" ? undefined : body;
				});
				assert.deepEqual([end.state, end.percent, end.error], ["complete", 100, null]);
				assert.ok(readFileSync(disk.file).subarray(0, image.length).equals(image));
				const { status } = await curl("rtr", `http://${SERVER_ADDRESS}:38434/api/images/download/${name}`);
				assert.equal(status, 401);
			});
		}
	});

	it("is installed on a Pi that was booted by other means, which is then a device like all others", async () => {
		await lab.addHost("pi2", { mac: INSTALLED.mac, address: `${INSTALLED.address}/24` });
		const { command } = await server.api<InstallCode>("POST", "/api/v1/install-codes");
		const root = join(folder, "root");
		mkdirSync(join(root, "etc/systemd/system"), { recursive: true });
		const line = command.replace("sudo", `DESTDIR=${root}`);
		await must(lab.on("pi2", ["sh", "-c", line]));
		assert.notEqual((await run(lab.on("pi2", ["sh", "-c", line.replace(root, join(folder, "again"))]))).status, 0);
		const config = JSON.parse(readFileSync(join(root, CONFIG), "utf8"));
		assert.equal(config.server, `http://${SERVER_ADDRESS}:38434`);
		const disk = (await disks.loop(8 * MIB)).device;
		agent = await Imager.start(folder, { as: lab.on("pi2", []), config: { ...config, port: 0, devices: disk } });
		const path = `/api/v1/devices/${INSTALLED.mac.replaceAll(":", "")}`;
		const known = await eventually("the agent", async () => {
			const device = await server.find<Device>(path);
			return device?.agent?.online ? device.agent : undefined;
		});
		assert.deepEqual(
			known.inventory.disks.map((each) => each.path),
			[disk],
		);
		const program = join(root, "opt/netboot-imager/netboot-imager-service.py");
		writeFileSync(program, "\n# of an older server\n", { flag: "a" });
		for (const said of ["took its place", "already"]) {
			const { stderr } = await run(lab.on("pi2", ["python3", program, "--update"]));
			assert.match(stderr, new RegExp(said));
		}
		assert.ok(readFileSync(program).equals(readFileSync(AGENT)));
		await server.api("POST", `${path}/reboot`);
		await agent.program.waitFor(/would reboot now/, 30_000);
	});
});
