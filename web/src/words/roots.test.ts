import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DeviceRoot, Image, RootMode, Snapshot } from "@pi-netboot/api";
import { whyNoRoot, whyNoSnapshot, whyNotBack } from "./roots.ts";

const root = (...modes: RootMode[]): DeviceRoot => ({
	...{ bytes: 0, quotaBytes: null, snapshots: [] },
	roots: modes.map((mode) => ({
		...{ imageId: "os", buildId: "new", bytes: 0, createdAt: 0, lastUsedAt: 0, isCurrent: true, mode },
	})),
});
const image = (id: string, builds: string[], isDefault = false) =>
	({
		...{ id, name: `${id}.img`, isDefault },
		builds: builds.map((build, index) => ({ id: build, isNewest: index === 0 })),
	}) as Image;
const images = [image("os", ["new", "old"], true), image("other", ["x"])];
const snapshot = (imageId: string, buildId: string) => ({ name: "s", imageId, buildId }) as Snapshot;

describe("what cannot be done with a root", () => {
	it("is said where there is none, or none that is kept", () => {
		const why = (rootMode: RootMode, has: DeviceRoot) => [
			whyNoRoot({ rootMode }, has),
			whyNoSnapshot({ rootMode }, has),
		];
		assert.deepEqual(why("persistent", root("persistent")), [undefined, undefined]);
		assert.match(why("persistent", root()).join(" "), /not booted this image yet.*nothing to keep/);
		assert.match(why("read-only", root()).join(" "), /read only has no changes.*nothing to keep/);
		const [none, kept] = why("ephemeral", root("ephemeral"));
		assert.deepEqual([none, kept?.includes('"Keep changes"')], [undefined, true]);
	});

	it("is said of a snapshot that its next boot would not take", () => {
		const why = (one: Snapshot, rootMode: RootMode = "persistent", imageId: string | null = null) =>
			whyNotBack({ rootMode, imageId }, one, images);
		assert.equal(why(snapshot("os", "new")), undefined);
		assert.equal(why(snapshot("other", "x"), "persistent", "other"), undefined);
		assert.match(why(snapshot("os", "new"), "ephemeral") ?? "", /^Its root is not kept/);
		assert.match(why(snapshot("other", "x")) ?? "", /^Of other\.img\. Choose that image/);
		assert.match(why(snapshot("gone", "x")) ?? "", /^Of the image gone, which is not there/);
		assert.match(why(snapshot("os", "old")) ?? "", /^Of an older build of os\.img/);
	});
});
