/**
 * Proxy DHCP with real broadcasts, on a machine with two LANs made of namespaces: `srv` has a cable to `a` and one to `b`,
 * and its default route leads to `b`. A router (dnsmasq) stands in `a`. Needs root.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { encodePacket, lanProbe } from "../../server/src/wire/dhcp/index.ts";
import { pi3RomDiscover, pi400Discover } from "../../server/src/wire/dhcp/testing/frames.ts";
import { Background, must, run } from "../harness/command.ts";

const SERVER = fileURLToPath(new URL("./dhcp-on-two-interfaces.ts", import.meta.url));
const MADE = `two${process.pid}`;

/**
 * A Pi's network stack: sends a datagram from 0.0.0.0:68, without having an address, and prints what comes back within the
 * given seconds. Python, because Node has no SO_BINDTODEVICE.
 */
const FIRMWARE = `
import select, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"e0")
s.bind(("", 68))
s.sendto(bytes.fromhex(sys.argv[1]), ("255.255.255.255", 67))
end = time.time() + float(sys.argv[2])
while select.select([s], [], [], max(0, end - time.time()))[0]:
    data, sender = s.recvfrom(2000)
    print(sender[0], sender[1], len(data), socket.inet_ntoa(data[245:249]))
`;

const missing = await whatIsMissing();
let server: ChildProcess | undefined;
let router: Background | undefined;

async function whatIsMissing(): Promise<string | false> {
	if (process.getuid?.() !== 0) return "needs root";
	for (const program of ["ip", "python3", "dnsmasq"]) {
		if ((await run(["sh", "-c", `command -v ${program}`])).status !== 0) return `${program} is not installed`;
	}
	return false;
}

const inside = (host: string, ...command: string[]): string[] => ["ip", "netns", "exec", `${MADE}${host}`, ...command];

function start(command: string[]): ChildProcess {
	const [program = "", ...rest] = command;
	return spawn(program, rest, { stdio: ["pipe", "pipe", "inherit"] });
}

before(async () => {
	if (missing !== false) return;
	for (const host of ["srv", "a", "b"]) await must(["ip", "netns", "add", `${MADE}${host}`]);
	for (const [host, subnet] of [
		["a", 1],
		["b", 2],
	] as const) {
		const end = `lan-${host}`;
		const cable = ["link", "add", end, "type", "veth", "peer", "name", "e0", "netns", `${MADE}${host}`];
		await must(["ip", "-n", `${MADE}srv`, ...cable]);
		await must(["ip", "-n", `${MADE}srv`, "addr", "add", `10.78.${subnet}.1/24`, "dev", end]);
		await must(["ip", "-n", `${MADE}srv`, "link", "set", end, "up"]);
		await must(["ip", "-n", `${MADE}${host}`, "link", "set", "e0", "up"]);
	}
	await must(["ip", "-n", `${MADE}srv`, "route", "add", "default", "via", "10.78.2.254"]);
	server = start(inside("srv", process.execPath, SERVER, "10.78.1.1", "10.78.2.1"));
	if (server.stdout !== null) await once(server.stdout, "data");
});

after(async () => {
	if (missing !== false) return;
	server?.kill("SIGKILL");
	await router?.stop("SIGKILL");
	for (const host of ["srv", "a", "b"]) await run(["ip", "netns", "del", `${MADE}${host}`]);
});

async function firmware(host: string, message: Buffer, seconds: number): Promise<string[]> {
	const output = await must(inside(host, "python3", "-c", FIRMWARE, message.toString("hex"), String(seconds)));
	return output.split("\n").filter((line) => line !== "");
}

test("on either LAN the OFFER comes from, and names, the server's address there", { skip: missing }, async () => {
	assert.deepEqual(await firmware("a", pi400Discover, 1), ["10.78.1.1 67 314 10.78.1.1"]);
	assert.deepEqual(await firmware("b", pi400Discover, 1), ["10.78.2.1 67 314 10.78.2.1"]);
});

test("the ROM of a Pi 3B is answered twice, with the longer menu", { skip: missing }, async () => {
	const line = "10.78.2.1 67 317 10.78.2.1";
	assert.deepEqual(await firmware("b", pi3RomDiscover, 3), [line, line]);
});

test("a client that is no Pi gets no answer", { skip: missing }, async () => {
	assert.deepEqual(await firmware("b", encodePacket(lanProbe()), 1), []);
});

test("another DHCP server is found by asking its LAN", { skip: missing }, async () => {
	await must(["ip", "-n", `${MADE}a`, "addr", "add", "10.78.1.2/24", "dev", "e0"]);
	const settings = ["--dhcp-range=10.78.1.50,10.78.1.99", "--no-ping", "--leasefile-ro", "--user=root", "--port=0"];
	router = new Background(inside("a", "dnsmasq", "-k", "--conf-file=/dev/null", "--log-facility=-", ...settings));
	await router.waitFor(/DHCP, IP range/, 10_000);
	server?.stdin?.write("ask\n");
	if (server?.stdout == null) return assert.fail("the server does not run");
	const [line] = await once(server.stdout, "data");
	const answer = JSON.parse(String(line));
	assert.equal(answer.kind, "asked");
	assert.equal(answer.offers.length, 1);
	assert.equal(answer.offers[0].server, "10.78.1.2");
	assert.match(answer.offers[0].offered, /^10\.78\.1\.\d+$/);
});
