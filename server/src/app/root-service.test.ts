/** The roots as the API shows them, over a real store and real layers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Defaults } from "@pi-netboot/api";
import { Site } from "../boot/testing/site.ts";
import { DeviceAnswers } from "./device-service.ts";
import { RootAnswers } from "./root-service.ts";

const HASH = `$6$salt$${"b".repeat(86)}`;

function answersOf({ registry, roots, store }: Site): RootAnswers {
	return new RootAnswers({ registry, care: roots.care, store });
}

describe("the roots in the API", () => {
	it("give changes by pages, and everything with its bytes", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const root = await site.boot(device, client);
		for (const name of ["a", "b", "c", "d", "e"]) await site.write(root, name, client);
		const answers = answersOf(site);
		const paths: string[][] = [];
		for (let after: string | undefined; ; ) {
			const page = await answers.changes(device.id, { limit: 2, ...(after !== undefined && { after }) });
			paths.push(page.changes.map(({ path }) => path));
			assert.deepEqual([page.total, page.isComplete], [5, true]);
			if (page.next === null) break;
			after = page.next;
		}
		assert.deepEqual(paths, [["/a", "/b"], ["/c", "/d"], ["/e"]]);
		assert.deepEqual((await answers.changes(device.id, { limit: 2, after: "/x" })).changes, []);
		const kept = await answers.takeSnapshot(device.id, "clean");
		const shown = await answers.root(device.id);
		assert.deepEqual(shown.snapshots, [kept]);
		assert.equal(shown.bytes, (shown.roots[0]?.bytes ?? 0) + kept.bytes);
		assert.deepEqual(await answers.restoreSnapshot(device.id, "clean"), kept);
		await answers.removeSnapshot(device.id, "clean");
		assert.deepEqual(await answers.snapshots(device.id), []);
		await assert.rejects(async () => answers.root("00000000"), { code: "device-not-found" });
	});

	it("say at the device what its image could not take when it booted", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const gapsOf = (of: typeof device) => site.roots.gapsOf(of);
		const devices = new DeviceAnswers(
			site.registry,
			() => 0,
			() => null,
			gapsOf,
		);
		await devices.change(device.id, { customisation: { timeZone: "Mars/Olympus" } });
		assert.deepEqual(devices.get(device.id)?.findings, []);
		await site.boot(device, client);
		const [finding, ...others] = devices.get(device.id)?.findings ?? [];
		assert.match(finding?.message ?? "", /^The image knows no time zone Mars\/Olympus: it has no \S+\.$/);
		assert.deepEqual([finding?.code, others], ["customisation-not-taken", []]);
		await devices.change(device.id, { customisation: { timeZone: null } });
		site.nfs.disconnected(client);
		site.clock.advance(10_000);
		await site.boot(device, { ...client, connection: {} });
		assert.deepEqual(devices.get(device.id)?.findings, []);
	});

	it("keep of a password its hash alone, for all and for one", async () => {
		await using site = await Site.open();
		const { device } = site.pi();
		await answersOf(site).changeDefaults({ customisation: { password: "höchst geheim" } });
		const kept = () => site.registry.customisationOf(device).passwordHash ?? "";
		const [, , salt = ""] = kept().split("$");
		assert.match(kept(), /^\$6\$/);
		const noBytes = () => 0;
		const devices = new DeviceAnswers(site.registry, noBytes, () => null);
		const shown = await devices.change(device.id, { name: "bench-7", customisation: { password: "hunter2" } });
		assert.deepEqual([shown?.name, shown?.customisation.passwordSet], ["bench-7", true]);
		assert.ok(kept().startsWith("$6$") && !kept().includes(salt));
		assert.doesNotMatch(JSON.stringify([shown, device, site.registry.customisationOf(device)]), /geheim|hunter2/);
	});

	it("change the defaults one by one, and tell no secret", async () => {
		await using site = await Site.open();
		const { device } = site.pi();
		const answers = answersOf(site);
		const told: Defaults[] = [];
		answers.onDefaults = (defaults) => told.push(defaults);
		await answers.changeDefaults({ customisation: { userName: "anna", passwordHash: HASH, timeZone: "UTC" } });
		await answers.changeDefaults({ rootMode: "ephemeral", quotaBytes: 1e9, oldRoots: { kept: 1, days: null } });
		const shown = await answers.changeDefaults({ customisation: { timeZone: null } });
		assert.deepEqual([told.length, told.at(-1)], [3, shown]);
		assert.deepEqual(shown.customisation, { userName: "anna", passwordSet: true, userDataSet: false });
		assert.deepEqual(shown.oldRoots, { kept: 1, days: null, budgetBytes: null });
		assert.deepEqual([shown.rootMode, shown.quotaBytes], ["ephemeral", 1e9]);
		const devices = new DeviceAnswers(
			site.registry,
			() => 0,
			() => null,
		);
		const changed = await devices.change(device.id, { customisation: { userName: "otto", userData: "#!/bin/sh\n" } });
		assert.deepEqual(changed?.customisation, { userName: "otto", passwordSet: false, userDataSet: true });
		assert.doesNotMatch(JSON.stringify([shown, changed]), /bbbb|bin\/sh/);
		await site.restart();
		const again = site.registry.get(device.id) ?? assert.fail();
		assert.deepEqual(site.registry.customisationOf(again), {
			...{ userName: "otto", passwordHash: HASH, userData: "#!/bin/sh\n" },
		});
		assert.equal(site.registry.quotaOf(again), 1e9);
		assert.equal(site.registry.rootModeOf(again), "ephemeral");
	});
});
