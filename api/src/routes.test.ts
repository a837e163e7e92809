import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allRoutes, DeviceChanges, DeviceId, EventsQuery, HostName, ImageId, LogQuery } from "./index.ts";

describe("the route table", () => {
	it("has no two operations at one method and path", () => {
		const places = allRoutes().map(([, route]) => `${route.method} ${route.path}`);
		assert.equal(new Set(places).size, places.length);
	});

	it("lets only health and the login answer everybody", () => {
		const open = allRoutes().filter(([, route]) => route.auth === "open");
		assert.deepEqual(
			open.map(([id]) => id),
			["getHealth", "getLogin", "login"],
		);
	});
});

describe("what clients send", () => {
	it("ids", () => {
		assert.ok(DeviceId.safeParse("7bf18f79").success);
		assert.ok(DeviceId.safeParse("88a29e114ecc").success);
		for (const id of ["7BF18F79", "7bf18f7", "88:a2:9e:11:4e:cc", "../etc"]) assert.ok(!DeviceId.safeParse(id).success);
		assert.ok(ImageId.safeParse("2026-10-01-raspios-trixie-arm64-lite").success);
		for (const id of ["", ".hidden", "a/b", "A", "a".repeat(129)]) assert.ok(!ImageId.safeParse(id).success, id);
	});

	it("host names", () => {
		for (const name of ["pi", "a", "pi-1", "1st", "a".repeat(63)]) assert.ok(HostName.safeParse(name).success, name);
		for (const name of ["", "-pi", "pi-", "a".repeat(64), "pi.lan", "pi_1", "Pi"]) {
			assert.ok(!HostName.safeParse(name).success, name);
		}
	});

	it("changes with a word that is not known are refused, not dropped", () => {
		assert.ok(DeviceChanges.safeParse({ rootMode: "ephemeral" }).success);
		assert.ok(!DeviceChanges.safeParse({ rootmode: "ephemeral" }).success);
	});

	it("queries come as text", () => {
		assert.deepEqual(LogQuery.parse({ limit: "5" }), { level: "debug", limit: 5 });
		assert.ok(!LogQuery.safeParse({ limit: "1e9" }).success);
		assert.deepEqual(EventsQuery.parse({ types: "device,image" }), { types: ["device", "image"] });
		assert.ok(!EventsQuery.safeParse({ types: "device,gossip" }).success);
	});
});
