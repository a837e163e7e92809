import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readlink } from "node:fs/promises";
import { test } from "node:test";
import { ExternalError } from "../base/index.ts";
import { systemSource } from "./interfaces.ts";
import { type AdviceContext, adviseOnListenError } from "./listen-error.ts";
import { portOwner, socketsOn } from "./port-owner.ts";

const linux: AdviceContext = {
	platform: "linux",
	execPath: "/home/pi user/node",
	isContainer: false,
	owner: async () => undefined,
};

const failure = (code: string, port = 67) => ({
	service: "DHCP",
	protocol: "udp" as const,
	port,
	error: new ExternalError(code, "bind failed"),
});

test("missing rights: three ways on Linux, each ready for the shell", async () => {
	assert.deepEqual(await adviseOnListenError(failure("EACCES"), linux), {
		code: "EACCES",
		message: "DHCP (udp port 67) is off: an ordinary user may not listen on ports below 1024.",
		commands: [
			"sudo setcap cap_net_bind_service=+ep '/home/pi user/node'",
			"sudo sysctl net.ipv4.ip_unprivileged_port_start=67",
			"sudo npm start",
		],
	});
});

test("in a container, what can be done about it is done on the host", async () => {
	const container = { ...linux, isContainer: true };
	assert.deepEqual((await adviseOnListenError(failure("EACCES"), container)).commands, [
		"sudo sysctl net.ipv4.ip_unprivileged_port_start=67",
	]);
	const { message, commands } = await adviseOnListenError(failure("EADDRINUSE"), container);
	assert.equal(message, "DHCP (udp port 67) is off: a program outside of this container has the port.");
	assert.deepEqual(commands, ["sudo ss -lnpu 'sport = :67'"]);
});

test("missing rights on macOS: one way", async () => {
	const advice = await adviseOnListenError(failure("EACCES"), { ...linux, platform: "darwin" });
	assert.deepEqual(advice.commands, ["sudo npm start"]);
});

test("a port in use: who has it, and how to have it back", async () => {
	const ownedBy = async (owner: { pid: number; name: string; unit?: string }) =>
		adviseOnListenError(failure("EADDRINUSE"), { ...linux, owner: async () => owner });
	const service = await ownedBy({ pid: 812, name: "dnsmasq", unit: "dnsmasq.service" });
	assert.equal(service.message, "DHCP (udp port 67) is off: dnsmasq (process 812) has the port.");
	assert.deepEqual(service.commands, ["sudo systemctl stop dnsmasq.service"]);
	assert.deepEqual((await ownedBy({ pid: 4711, name: "python3" })).commands, ["sudo kill 4711"]);
	assert.deepEqual((await ownedBy({ pid: 1, name: "systemd" })).commands, ["sudo systemctl list-sockets"]);
});

test("a port in use by somebody whom we may not see", async () => {
	const advice = await adviseOnListenError(failure("EADDRINUSE"), linux);
	assert.deepEqual(advice.commands, ["sudo ss -lnpu 'sport = :67'"]);
});

test("any other failure is told as it is", async () => {
	const other = await adviseOnListenError(failure("EMFILE"), linux);
	assert.equal(other.message, "DHCP (udp port 67) cannot listen: bind failed.");
	assert.match((await adviseOnListenError(failure("EADDRNOTAVAIL"), linux)).message, /no longer has that address/);
});

test("the sockets on a port, in the kernel's table", () => {
	const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref";
	const row = (port: string, state: string, inode: number): string =>
		`  1: 00000000:${port} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 2`;
	const table = [head, row("0043", "07", 11), row("0044", "07", 12), row("0043", "0A", 13), ""].join("\n");
	assert.deepEqual(socketsOn(67, "udp", table), ["11", "13"]);
	assert.deepEqual(socketsOn(67, "tcp", table), ["13"]);
	assert.deepEqual(socketsOn(67, "udp", ""), []);
});

test("the owner of a port of ours is this process", {
	skip: process.platform !== "linux" && "needs /proc",
}, async () => {
	const socket = createSocket("udp4").bind(0, "127.0.0.1");
	await once(socket, "listening");
	const { port } = socket.address();
	assert.equal((await portOwner("udp", port))?.pid, process.pid);
	socket.close();
});

test("a second server is told that there is a first, whatever Node calls its threads", async () => {
	const socket = createSocket("udp4");
	socket.bind(0, "127.0.0.1");
	await once(socket, "listening");
	const nameOf = async (cmdline: string) => {
		const texts: Record<string, string> = { comm: "node-MainThread\n", cmdline };
		const read = async (path: string) =>
			texts[path.slice(path.lastIndexOf("/") + 1)] ?? (await systemSource.read(path));
		const link = (path: string) => readlink(path).catch(() => undefined);
		return (await portOwner("udp", socket.address().port, { ...systemSource, read, link }))?.name;
	};
	assert.equal(await nameOf("/app/node\0/app/server/src/main.ts\0serve\0"), "another pi-netboot");
	assert.equal(await nameOf("/usr/bin/node\0index.js\0"), "node");
	socket.close();
});
