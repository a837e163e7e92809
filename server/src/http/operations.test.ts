import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
	allRoutes,
	type Device,
	ErrorBody,
	errorCodes,
	errorKinds,
	errorsOf,
	errorsOfPlain,
	plainRoutes,
} from "@pi-netboot/api";
import fc from "fast-check";
import { bearer, harness } from "./testing/harness.ts";
import {
	logLine,
	sampleAttempt,
	sampleBoot,
	sampleBystander,
	sampleDefaults,
	sampleDevice,
	sampleHealth,
	sampleImage,
	sampleLease,
} from "./testing/samples.ts";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

async function ask(method: Method, url: string, payload?: object | string, headers: Record<string, string> = bearer) {
	const { http, services } = harness();
	services.logs.add(logLine("first", { device: "7bf18f79" }));
	services.logs.add(logLine("second", { service: "tftp", level: "warn" }));
	const response = await http.fastify.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
	return { status: response.statusCode, body: response.body === "" ? undefined : response.json(), services };
}

async function failure(method: Method, url: string, payload?: object | string, headers?: Record<string, string>) {
	const { status, body } = await ask(method, url, payload, headers);
	const { error } = ErrorBody.parse(body);
	assert.equal(status, errorKinds[error.code].status);
	return error.code;
}

describe("the API answers", () => {
	it("health, to everybody", async () => {
		assert.deepEqual((await ask("GET", "/api/v1/health", undefined, {})).body, sampleHealth);
	});

	it("lists", async () => {
		assert.deepEqual((await ask("GET", "/api/v1/images")).body, { images: [sampleImage], next: null });
		assert.deepEqual((await ask("GET", "/api/v1/devices")).body, { devices: [sampleDevice], next: null });
		assert.equal((await ask("GET", "/api/v1/network")).body.serverIp, "192.0.2.2");
	});

	it("pages of them", async () => {
		const { http, services } = harness();
		const ids = ["00000001", "00000002", "00000003"];
		services.devices.list = () => ids.map((id) => ({ ...sampleDevice, id }));
		services.network.leases = () => [sampleLease, { ...sampleLease, address: "192.0.2.101" }];
		const get = async (url: string) => (await http.fastify.inject({ url, headers: bearer })).json();
		const first = await get("/api/v1/devices?limit=2");
		assert.deepEqual([first.devices.map(({ id }: Device) => id), first.next], [ids.slice(0, 2), "00000002"]);
		const second = await get("/api/v1/devices?limit=2&after=00000002");
		assert.deepEqual([second.devices.map(({ id }: Device) => id), second.next], [ids.slice(2), null]);
		assert.equal((await get("/api/v1/devices?after=ffffffff")).error.code, "invalid-request");
		assert.deepEqual(await get("/api/v1/images?limit=1"), { images: [sampleImage], next: null });
		assert.deepEqual(await get("/api/v1/leases?limit=1"), { leases: [sampleLease], next: sampleLease.address });
	});

	it("one thing, also by a former id", async () => {
		assert.deepEqual((await ask("GET", "/api/v1/images/raspios-trixie")).body, sampleImage);
		assert.deepEqual((await ask("GET", "/api/v1/devices/88a29e114ecc")).body, sampleDevice);
	});

	it("changes", async () => {
		const changed = await ask("PATCH", "/api/v1/devices/7bf18f79", { rootMode: "ephemeral", imageId: "old" });
		assert.equal(changed.body.rootMode, "ephemeral");
		assert.deepEqual(changed.services.calls, [{ rootMode: "ephemeral", imageId: "old" }]);
		assert.equal((await ask("PATCH", "/api/v1/network", { mode: "off" })).body.mode, "off");
		assert.equal((await ask("POST", "/api/v1/network/confirm")).body.mode, "proxy");
		assert.deepEqual((await ask("PUT", "/api/v1/images/default", { id: null })).body, { id: null });
		assert.equal((await ask("DELETE", "/api/v1/images/old")).status, 204);
		const reset = await ask("POST", "/api/v1/devices/7bf18f79/root/reset");
		assert.deepEqual(reset.body, { id: "7bf18f79", pending: true });
	});

	it("what a device changed, its snapshots, and what holds for all", async () => {
		const device = "/api/v1/devices/7bf18f79";
		assert.equal((await ask("GET", `${device}/root/changes?limit=5`)).body.changes[0].path, "/etc/hosts");
		assert.equal((await ask("DELETE", `${device}/root/snapshots/clean`)).status, 204);
		assert.equal(await failure("DELETE", `${device}/root/snapshots/other`), "snapshot-not-found");
		assert.deepEqual((await ask("GET", "/api/v1/defaults")).body, sampleDefaults);
	});

	it("orders for agents", async () => {
		const device = "/api/v1/devices/7bf18f79";
		const { status } = await ask("POST", `${device}/writes`, { target: "/dev/mmcblk0", confirm: true });
		assert.equal(status, 202);
		assert.equal(await failure("POST", `${device}/writes`, { target: "/dev/mmcblk0" }), "invalid-request");
		assert.equal(await failure("GET", "/api/v1/writes/00000000ffffffff"), "write-not-found");
		assert.ok((await ask("POST", `${device}/reboot`)).status < 300);
	});

	it("what was", async () => {
		const { body } = await ask("GET", "/api/v1/devices/7bf18f79/boots?limit=1");
		assert.deepEqual([body.boots, body.next], [[sampleBoot], 1]);
		assert.deepEqual((await ask("GET", "/api/v1/devices/7bf18f79/boots?before=1")).body, { boots: [], next: null });
		assert.deepEqual((await ask("GET", "/api/v1/devices/7bf18f79/attempts")).body, { attempts: [sampleAttempt] });
		assert.equal(await failure("GET", "/api/v1/devices/00000000/attempts"), "device-not-found");
		assert.equal((await ask("GET", "/api/v1/devices/7bf18f79/diagnoses")).body.diagnoses[0].code, "no-mount");
		assert.deepEqual((await ask("GET", "/api/v1/bystanders")).body, { bystanders: [sampleBystander] });
		assert.equal(await failure("GET", "/api/v1/devices/00000000/boots"), "device-not-found");
		assert.equal(await failure("GET", "/api/v1/devices/00000000/diagnoses"), "device-not-found");
	});

	it("log lines, filtered", async () => {
		const messages = async (query: string) =>
			(await ask("GET", `/api/v1/logs${query}`)).body.lines.map((line: { message: string }) => line.message);
		assert.deepEqual(await messages(""), ["first", "second"]);
		assert.deepEqual(await messages("?device=7bf18f79"), ["first"]);
		assert.deepEqual(await messages("?service=tftp"), ["second"]);
		assert.deepEqual(await messages("?level=warn"), ["second"]);
		assert.deepEqual(await messages("?limit=1"), ["second"]);
		assert.deepEqual(await messages("?text=FIR"), ["first"]);
		const { lines } = (await ask("GET", "/api/v1/logs")).body;
		assert.ok(lines[0].id < lines[1].id);
		const page = (await ask("GET", "/api/v1/logs?limit=1")).body;
		assert.deepEqual([page.lines.length, page.next], [1, page.lines[0].id]);
		assert.equal((await ask("GET", "/api/v1/logs?limit=2")).body.next, null);
		assert.deepEqual(await messages(`?before=${lines[0].id}`), []);
	});

	it("figures for Prometheus", async () => {
		const { http } = harness();
		const { body, headers } = await http.fastify.inject({ url: "/metrics", headers: bearer });
		assert.match(headers["content-type"] ?? "", /^text\/plain; version=0\.0\.4/);
		assert.match(body, /^pi_netboot_service_up\{service="dhcp"\} 0$/m);
		assert.match(body, /^pi_netboot_service_up\{service="nfs"\} 1$/m);
		assert.match(body, /^pi_netboot_devices\{stage="kernel"\} 1$/m);
		assert.match(
			body,
			/^# TYPE pi_netboot_dhcp_messages_total counter\npi_netboot_dhcp_messages_total\{type="discover"\} 3$/m,
		);
		assert.match(body, /^pi_netboot_bystanders 1$/m);
		for (const line of body.trimEnd().split("\n"))
			assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{.+\})? [\d.e+-]+)$/);
	});

	it("its own description", async () => {
		const { http } = harness();
		const { paths } = (await http.fastify.inject({ url: "/api/openapi.json" })).json();
		assert.ok("/api/v1/devices/{id}" in paths);
	});

	it("HEAD as GET, without a body", async () => {
		const { http } = harness();
		const response = await http.fastify.inject({ method: "HEAD", url: "/api/v1/health" });
		assert.deepEqual([response.statusCode, response.body], [200, ""]);
	});

	it("never with what the contract does not promise", async () => {
		const { http, services } = harness();
		Object.assign(services.devices, { list: () => [{ ...sampleDevice, secret: "s3cret" }] });
		const { body } = await http.fastify.inject({ url: "/api/v1/devices", headers: bearer });
		assert.ok(body.includes("7bf18f79") && !body.includes("s3cret"));
	});
});

describe("the API refuses", () => {
	it("what is not there", async () => {
		assert.equal(await failure("GET", "/api/v1/nothing"), "not-found");
		assert.equal(await failure("DELETE", "/nothing"), "not-found");
		assert.equal(await failure("GET", "/api/v1/images/none"), "image-not-found");
		assert.equal(await failure("DELETE", "/api/v1/images/none"), "image-not-found");
		assert.equal(await failure("PUT", "/api/v1/images/default", { id: "none" }), "image-not-found");
		assert.equal(await failure("GET", "/api/v1/devices/00000000"), "device-not-found");
		assert.equal(await failure("PATCH", "/api/v1/devices/00000000", {}), "device-not-found");
		assert.equal(await failure("POST", "/api/v1/devices/00000000/root/reset"), "device-not-found");
	});

	it("a method that is none of a path's, and names those", async () => {
		const { http } = harness();
		const allowed = async (method: Method, url: string) => {
			const { headers, statusCode, body } = await http.fastify.inject({ method, url, headers: bearer });
			return [statusCode, JSON.parse(body).error.code, headers.allow];
		};
		assert.deepEqual(await allowed("DELETE", "/api/v1/health"), [405, "method-not-allowed", "GET, HEAD"]);
		assert.deepEqual(await allowed("POST", "/api/v1/images/x"), [
			405,
			"method-not-allowed",
			"DELETE, GET, HEAD, PATCH",
		]);
		assert.deepEqual(await allowed("POST", "/login.css"), [405, "method-not-allowed", "GET, HEAD"]);
		assert.deepEqual(await allowed("PUT", "/api/v1/uploads/u1"), [405, "method-not-allowed", "DELETE, HEAD, PATCH"]);
	});

	it("what a route does not take, where it would be passed over", async () => {
		assert.equal(await failure("GET", "/api/v1/devices?tag=lab"), "invalid-request");
		assert.equal(await failure("POST", "/api/v1/login-codes", { minutes: 5 }), "invalid-request");
		assert.equal((await ask("POST", "/api/v1/login-codes", {})).status, 200);
	});

	it("what does not fit the state of things", async () => {
		assert.equal(await failure("DELETE", "/api/v1/images/raspios-trixie"), "image-in-use");
		assert.equal(await failure("PATCH", "/api/v1/devices/7bf18f79", { name: "taken" }), "name-taken");
		assert.equal(await failure("PATCH", "/api/v1/network", { serverIp: "203.0.113.9" }), "conflict");
	});

	it("values that are not valid, all named in one message", async () => {
		const { body } = await ask("PATCH", "/api/v1/devices/7bf18f79", { name: "-x", rootMode: "fast", nmae: 1 });
		for (const word of ["body.name", "body.rootMode", "nmae"]) assert.ok(body.error.message.includes(word), word);
		assert.equal(await failure("GET", "/api/v1/devices/XYZ"), "invalid-request");
		assert.equal(await failure("GET", "/api/v1/devices/%zz"), "invalid-request");
		assert.equal(await failure("GET", `/api/v1/devices/${"a".repeat(200)}`), "invalid-request");
		assert.equal(await failure("GET", "/api/v1/logs?limit=0"), "invalid-request");
		assert.equal(await failure("PATCH", "/api/v1/devices/7bf18f79"), "invalid-request");
	});

	it("bodies that are no JSON, or too much of it", async () => {
		const json = { ...bearer, "content-type": "application/json" };
		const url = "/api/v1/devices/7bf18f79";
		assert.equal(await failure("PATCH", url, "{", json), "invalid-request");
		assert.equal(await failure("PATCH", url, '{"__proto__":{"a":1}}', json), "invalid-request");
		assert.equal(await failure("PATCH", url, "name=x", { ...bearer, "content-type": "text/plain" }), "media-type");
		assert.equal(await failure("PATCH", url, { name: "x".repeat(70_000) }), "body-too-large");
	});

	it("to tell what broke inside of it", async () => {
		const { status, body } = await ask("PATCH", "/api/v1/devices/7bf18f79", { name: "broken" });
		assert.equal(status, 500);
		assert.ok(!JSON.stringify(body).includes("secret"));
	});

	it("everything else without crashing, in its one form", async () => {
		const { http } = harness();
		const methods = fc.constantFrom<Method>("GET", "POST", "PUT", "PATCH", "DELETE");
		const paths = fc.constantFrom(...allRoutes().map(([, route]) => route.path));
		const place = fc.tuple(paths, fc.string()).map(([path, id]) => path.replace(":id", encodeURIComponent(id)));
		await fc.assert(
			fc.asyncProperty(methods, place, fc.json(), async (method, url, payload) => {
				if (url === "/api/v1/events") return;
				const headers = { ...bearer, "content-type": "application/json" };
				const response = await http.fastify.inject({ method, url, payload, headers });
				if (response.statusCode < 400) return;
				const { error } = ErrorBody.parse(response.json());
				assert.equal(errorKinds[error.code].status, response.statusCode);
				assert.notEqual(error.code, "internal");
			}),
			{ numRuns: 300 },
		);
	});
});

describe("the table of errors", () => {
	it("holds no code that no route answers with", () => {
		const used = [
			...allRoutes().flatMap(([, route]) => errorsOf(route)),
			...plainRoutes.flatMap((route) => errorsOfPlain(route)),
		];
		const unused = errorCodes.filter((code) => !used.includes(code));
		// Before any route is found.
		assert.deepEqual(unused, ["not-found", "method-not-allowed", "too-slow", "head-too-large"]);
	});
});

describe("virtual Pis", () => {
	it("are started with the model that was asked for", async () => {
		const { http, services } = harness({ auth: "off" });
		const start = (payload: object) => http.fastify.inject({ method: "POST", url: "/api/v1/virtual-pis", payload });
		const answer = await start({ model: "pi4" });
		assert.deepEqual([answer.statusCode, answer.json()], [202, { model: "pi4", started: true }]);
		assert.equal((await start({ model: "pi5", plays: "dead-kernel" })).statusCode, 202);
		assert.equal((await start({ model: "pi5", plays: "dance" })).json().error.code, "invalid-request");
		assert.deepEqual(services.calls, [{ virtualPi: "pi4" }, { virtualPi: "pi5", plays: "dead-kernel" }]);
		assert.equal((await start({ model: "pi3bp" })).json().error.code, "conflict");
		assert.equal((await start({ model: "zero2w" })).json().error.code, "invalid-request");
	});
});
