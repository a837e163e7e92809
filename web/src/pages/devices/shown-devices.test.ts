import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Device, Write } from "@pi-netboot/api";
import { sampleDevice } from "../../testing/sample-device.ts";
import { systemText } from "./device-facts.ts";
import { countsText, filterDevices, withStatus } from "./shown-devices.ts";

const NOW = 1_700_000_000_000;

const device = (name: string, more: Partial<Device> = {}): Device =>
	sampleDevice({ name, stage: "userspace", bootCount: 1, lastBootAt: NOW, ...more });

const trouble = { code: "x", severity: "error", message: "It needs help.", seen: "It asked.", fix: "Help." } as const;
const write = { imageName: "raspios.img", disk: { model: "SD64G" }, percent: 42 };
const names = { byId: new Map([["u", "ubuntu.img"]]), byDefault: "raspios.img" };
const shownNames = (devices: readonly Device[]) => withStatus(devices, NOW).map((one) => one.device.name);

describe("the Pis that are shown", () => {
	it("come in the order of their names as people count, those that need help first", () => {
		const all = [device("pi-10"), device("pi-2"), device("z", { diagnosis: trouble }), device("pi-1")];
		assert.deepEqual(shownNames(all), ["z", "pi-1", "pi-2", "pi-10"]);
		assert.deepEqual(shownNames([device("pi-10"), device("pi-02"), device("pi-1")]), ["pi-1", "pi-02", "pi-10"]);
		assert.deepEqual(shownNames([device("p-001a"), device("p-0019"), device("p-000f")]), [
			"p-000f",
			"p-0019",
			"p-001a",
		]);
	});

	it("are found by each word of what is known of them", () => {
		const all = withStatus([device("bench"), device("shelf", { imageId: "u", model: "pi5", tags: ["room-2"] })], NOW);
		const found = (text: string) =>
			filterDevices(all, { text, kind: "all" }, names)
				.map((one) => one.device.name)
				.join();
		assert.deepEqual(["", "BEN", "ubuntu", "raspios", "pi 5", "room-2", "shelf raspios"].map(found), [
			"bench,shelf",
			"bench",
			"shelf",
			"bench",
			"shelf",
			"shelf",
			"",
		]);
	});

	it("are counted in words", () => {
		assert.equal(countsText(withStatus([], NOW)), "0 Pis");
		const all = [device("a"), device("b", { stage: null }), device("c", { diagnosis: trouble })];
		assert.equal(countsText(withStatus(all, NOW)), "3 Pis: 1 needs help, 1 running, 1 quiet");
		const writes = (["writing", "complete"] as const).map(
			(stage) => ({ ...write, deviceId: all[0]?.id, stage }) as Write,
		);
		assert.equal(countsText(withStatus([device("a")], NOW, writes)), "1 Pi: 1 writing");
		assert.equal(countsText(withStatus([device("a")], NOW, writes.slice(1))), "1 Pi: 1 running");
	});
});

describe("what a Pi runs", () => {
	it("is what its boot was given; what was chosen since then comes with the next one", () => {
		const given = { imageId: "u", buildId: "1", rootMode: "read-only" } as const;
		assert.equal(systemText(device("a"), names), "raspios.img · keep changes");
		assert.equal(
			systemText(device("a", { boot: given, imageId: "u", rootMode: "read-only" }), names),
			"ubuntu.img · read only",
		);
		assert.equal(
			systemText(device("a", { boot: { ...given, imageId: "x" } }), names),
			"x (gone) · read only. Next boot: raspios.img · keep changes",
		);
	});
});
