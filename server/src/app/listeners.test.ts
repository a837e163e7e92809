import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pino } from "pino";
import { ExternalError, silentLogger } from "../base/index.ts";
import { explainListenError, type Listener, Listeners, type Opened } from "./listeners.ts";

function refusal(code: string): ExternalError {
	return new ExternalError(code, `bind ${code}`);
}

/** A service whose first attempts fail with these codes. */
function service(name: Listener["name"], port: number, codes: readonly string[], closed: string[] = []) {
	const asked: [number, boolean][] = [];
	const left = [...codes];
	const listener: Listener = {
		name,
		title: name.toUpperCase(),
		protocol: "udp",
		port,
		async open(on, loopback): Promise<Opened> {
			asked.push([on, loopback]);
			const code = left.shift();
			if (code !== undefined) throw refusal(code);
			return { port: on, close: async () => void closed.push(name) };
		},
	};
	return { listener, asked };
}

describe("a service", () => {
	test("that listens is running, and all of them make the whole", async () => {
		const listeners = new Listeners(silentLogger);
		for (const name of ["tftp", "nfs", "portmap"] as const) await listeners.start(service(name, 5000, []).listener);
		assert.equal(listeners.report("1").status, "degraded", "dhcp has not started yet");
		assert.equal(listeners.health("dhcp").state, "starting");
		listeners.note("dhcp", { state: "off", port: 67 });
		const report = listeners.report("1");
		assert.equal(report.status, "ok");
		assert.deepEqual(report.services.tftp, { state: "running", port: 5000 });
	});

	test("that lacks the right says the command, and is there for virtual Pis", async () => {
		const lines: string[] = [];
		const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
		const listeners = new Listeners(log);
		const { listener, asked } = service("tftp", 69, ["EACCES"]);
		await listeners.start(listener);
		assert.deepEqual(asked, [
			[69, false],
			[10_069, true],
		]);
		const health = listeners.health("tftp");
		assert.equal(health.state, "failed");
		assert.equal(health.port, 10_069);
		assert.match(health.error ?? "", /an ordinary user may not listen on ports below 1024.*127\.0\.0\.1:10069/);
		assert.match(health.hint ?? "", /sudo/);
		assert.match(lines[0] ?? "", /Fix: .*sudo/);
		assert.equal(listeners.report("1").status, "degraded");
	});

	test("whose port is taken, twice, has failed on its own port", async () => {
		const listeners = new Listeners(silentLogger);
		await listeners.start(service("nfs", 2049, ["EADDRINUSE", "EADDRINUSE"]).listener);
		const health = listeners.health("nfs");
		assert.deepEqual([health.state, health.port], ["failed", 2049]);
		assert.doesNotMatch(health.error ?? "", /Virtual Pis/);
	});

	test("that fails otherwise is not tried elsewhere", async () => {
		const listeners = new Listeners(silentLogger);
		const { listener, asked } = service("nfs", 2049, ["EADDRNOTAVAIL"]);
		await listeners.start(listener);
		assert.equal(asked.length, 1);
		assert.match(listeners.health("nfs").error ?? "", /no longer has that address/);
		assert.equal(listeners.health("nfs").hint, undefined);
	});
});

describe("the stop", () => {
	test("closes all, those for virtual Pis too, once, and tells what failed", async () => {
		const listeners = new Listeners(silentLogger);
		const closed: string[] = [];
		await listeners.start(service("tftp", 69, ["EACCES"], closed).listener);
		const broken = service("nfs", 2049, []).listener;
		const open = async () => ({ port: 2049, close: () => Promise.reject(new Error("does not close")) });
		await listeners.start({ ...broken, open });
		await listeners.start(service("portmap", 111, [], closed).listener);
		await assert.rejects(listeners.stop(), AggregateError);
		assert.deepEqual(closed, ["tftp", "portmap"]);
		await listeners.stop();
		assert.deepEqual(closed, ["tftp", "portmap"]);
	});
});

describe("a port without which there is no server", () => {
	test("is explained, with what to do", async () => {
		const error = await explainListenError("page and API", 80, "--http-port", refusal("EACCES"));
		assert.equal(error.code, "EACCES");
		assert.match(error.message, /^page and API \(tcp port 80\) is off: an ordinary user may not/);
		assert.match(error.hint ?? "", /^Choose another port with --http-port {2}or {2}sudo /);
	});
});
