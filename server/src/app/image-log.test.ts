import assert from "node:assert/strict";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Bench } from "../devices/testing/pis.ts";
import { ImageLibrary, inspectImage } from "../images/index.ts";
import { createLogging } from "../log-setup.ts";
import { makePiImage } from "../vfs/image/testing/images.ts";
import { logImages } from "./image-log.ts";

/** A file that was written long ago is not watched first. */
const aged = (path: string) => utimesSync(path, 1_600_000_000, 1_600_000_000);

test("the log says of each image once what it can do, and what is wrong with it", async () => {
	const folder = mkdtempSync(join(tmpdir(), "image-log-"));
	await using bench = await Bench.open();
	const library = new ImageLibrary({
		folder,
		records: bench.store.images,
		inspect: inspectImage,
		defaults: { get: () => undefined, set: async () => undefined },
		watch: false,
		pollMs: 3_600_000,
	});
	const lines: string[] = [];
	const { log } = createLogging({ level: "info", format: "text", write: (text) => void lines.push(text) });
	const take = () => lines.splice(0).map((line) => line.replace(/^\S+ (\w+) +server +/, "$1 ").trim());
	try {
		await library.start();
		const end = logImages(library, folder, log);
		assert.deepEqual(take(), [`info no image yet: copy an .img, an .img.xz or a .zip into ${folder}`]);

		aged(makePiImage(folder, { name: "good.img" }));
		writeFileSync(join(folder, "bad.img"), "");
		aged(join(folder, "bad.img"));
		await library.refresh();
		await library.refresh();
		const [bad, good, ...others] = take().sort().reverse();
		assert.equal(bad, "warn bad cannot be used: The file is empty. Copy it again.");
		assert.match(good ?? "", /^info good is ready: .+, boots (no model|pi\w+)/);
		assert.deepEqual(others, []);

		rmSync(join(folder, "good.img"));
		await library.refresh();
		assert.deepEqual(take(), ["info good is gone"]);

		end();
		rmSync(join(folder, "bad.img"));
		await library.refresh();
		assert.deepEqual(take(), [], "nothing is said after the end");
	} finally {
		await library.stop();
		rmSync(folder, { recursive: true });
	}
});
