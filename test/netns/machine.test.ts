/** Machines that are not as they should be: no rights, and ports that others have. The server says so, and works as far as it can. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { DeviceList } from "@pi-netboot/api";
import { Background, must, run } from "../harness/command.ts";
import { SERVER_ADDRESS } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { assertBooted, powerOn } from "../harness/virtual-pi.ts";
import { AS_NOBODY, PI_NETBOOT, Workshop } from "../harness/workshop.ts";

const skip = await lacks(["ip", "curl", "dnsmasq", "setpriv", "sysctl", ...IMAGE_PROGRAMS]);
const skipNobody = skip === false ? await whyNotAsNobody() : skip;

async function whyNotAsNobody(): Promise<string | false> {
	const tried = await run([...AS_NOBODY, ...PI_NETBOOT, "version"]);
	return tried.status === 0 ? false : `an ordinary user cannot run the clone in ${process.cwd()}`;
}

let shop: Workshop;

before(async () => {
	if (skip === false) shop = await Workshop.open();
});

after(async () => {
	if (skip === false) await shop?.close();
});

afterEach(() => shop.stopAll());

describe("an ordinary user", { skip: skipNobody }, () => {
	it("is told which ports are off and how to have them, and boots virtual Pis all the same", async () => {
		const server = await shop.serve(AS_NOBODY);
		for (const service of ["DHCP (udp port 67)", "TFTP (udp port 69)", "portmapper (udp port 111)"]) {
			const line = `${service} is off: an ordinary user may not listen on ports below 1024.`;
			const told =
				server
					.log()
					.split("\n")
					.find((one) => one.includes(line)) ?? assert.fail(server.log());
			assert.match(told, /Fix: sudo setcap cap_net_bind_service=\+ep \S+node {2}or {2}sudo sysctl /);
		}
		const { status, services } = await server.health();
		assert.deepEqual([status, services.nfs.state, services.dhcp.state], ["degraded", "running", "failed"]);
		for (const model of ["pi3bp", "pi4", "pi5"]) {
			const simulated = await server.command("simulate", "--model", model, "--count", "2");
			assert.equal(simulated.status, 0, simulated.stdout + simulated.stderr);
		}
		const { devices } = await server.asks<DeviceList>("devices");
		assert.deepEqual(
			devices.map(({ stage }) => stage),
			Array(6).fill("userspace"),
		);
	});

	it("has all ports with the command that was named", async () => {
		const first = await shop.serve(AS_NOBODY);
		const { services } = await first.health();
		const hint = services.dhcp.hint ?? "";
		const fix = /^sudo (sysctl net\.ipv4\.ip_unprivileged_port_start=\d+)$/m.exec(hint)?.[1] ?? assert.fail(hint);
		await first.program.stop();
		await must(shop.lab.on("srv", fix.split(" ")));
		try {
			const second = await shop.serve(AS_NOBODY);
			assert.equal((await second.health()).status, "ok", second.log());
		} finally {
			await must(shop.lab.on("srv", ["sysctl", "net.ipv4.ip_unprivileged_port_start=1024"]));
		}
	});
});

describe("a machine where others have the ports", { skip }, () => {
	it("lends the port of its rpcbind, which names us until we stop", async (context) => {
		const missing = await lacks(["rpcbind", "rpcinfo", "unshare", "mount"]);
		if (missing !== false) return context.skip(missing);
		const data = shop.newData();
		// rpcbind goes into the background by itself when it is ready; a /run of its own keeps it apart from the machine's
		const script = 'mount -t tmpfs tmpfs /run && rpcbind && exec "$@"';
		const words = ["unshare", "--mount", "sh", "-c", script, "sh", ...PI_NETBOOT, ...shop.serveFlags(data)];
		const program = new Background(shop.lab.on("srv", words), { environment: { HOME: data } });
		shop.keep(program);
		const registered = async () => {
			const { stdout } = await run(shop.lab.on("srv", ["rpcinfo", "-p", SERVER_ADDRESS]));
			return stdout.split("\n").map((line) => line.trim().split(/\s+/).slice(0, 4).join(" "));
		};
		try {
			await program.waitFor(/^ready/m, 30_000);
			const lines = (await registered()).filter((line) => /^10000[35] /.test(line)).sort();
			assert.deepEqual(lines, ["100003 3 tcp 2049", "100005 3 tcp 2049", "100005 3 udp 2049"]);
			await shop.lab.addHost("rpi", { mac: "dc:a6:32:ec:fc:3c" });
			assertBooted(await powerOn(shop.lab, "rpi", { model: "pi4-2021", mac: "dc:a6:32:ec:fc:3c", serial: "e0ff06da" }));
			assert.equal(await program.stop(), 0);
			assert.deepEqual(
				(await registered()).filter((line) => /^10000[35] /.test(line)),
				[],
			);
		} finally {
			await program.stop();
			const pids = await must(["ip", "netns", "pids", shop.lab.host("srv")]);
			for (const pid of pids.split("\n").filter((line) => line !== "")) await run(["kill", "-9", pid]);
		}
	});

	it("is told who has port 67, and serves the rest", async () => {
		const holder = 'require("dgram").createSocket("udp4").bind(67, () => console.log("has it"))';
		const other = new Background(shop.lab.on("srv", [process.execPath, "-e", holder]));
		shop.keep(other);
		await other.waitFor(/has it/, 10_000);
		const server = await shop.serve();
		const { pid } = other.process;
		assert.match(
			server.log(),
			new RegExp(`DHCP \\(udp port 67\\) is off: \\S+ \\(process ${pid}\\) has the port\\..*Fix: sudo kill ${pid}`),
		);
		const { services } = await server.health();
		assert.deepEqual(
			[services.dhcp.state, services.tftp.state, services.nfs.state, services.portmap.state],
			["failed", "running", "running", "running"],
		);
		const doctor = await server.command("doctor", "--no-lan", "--interface", "srv0", "--images", shop.images);
		assert.equal(doctor.status, 1);
		assert.match(doctor.stdout, new RegExp(`^BAD +port +DHCP .*process ${pid}`, "m"));
	});
});
