import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { ExtFileSystem, FileSource } from "../../disk/index.ts";
import { makeExtImage } from "../../disk/testdata/index.ts";
import { complianceSuite, readingSuite } from "../compliance.ts";
import { plainSource, writeSource } from "../compliance-source.ts";
import { openLayer } from "./testing.ts";

const folder = mkdtempSync(join(tmpdir(), "layer-ext-"));
const sourceDir = join(folder, "source");
mkdirSync(sourceDir);
writeSource(sourceDir, plainSource);
const source = FileSource.open(makeExtImage(folder, { size: "16M", sourceDir, extra: ["-N", "2000"] }));
after(() => {
	source.close();
	rmSync(folder, { recursive: true });
});

const open = () => ExtFileSystem.open(source, { fsid: 1 });
const ext = open();

readingSuite("ext4", () => ({ tree: ext }), plainSource);

complianceSuite(
	"a layer over ext4",
	() => {
		const base = open();
		const subject = openLayer(base, { maxBaseIno: base.inodeCount });
		return { tree: subject.layer.tree(1), close: () => subject.close() };
	},
	plainSource,
);
