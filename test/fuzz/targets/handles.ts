/** File handles: whoever made up or changed one gets nowhere. */
import assert from "node:assert/strict";
import { HandleCodec } from "../../../server/src/vfs/index.ts";
import type { FuzzTarget } from "../target.ts";

const codec = new HandleCodec(Buffer.alloc(32, 7));
const made = [1, 2, 77].map((ino) =>
	codec.encode({ root: Buffer.alloc(8, ino), fsid: ino, ino, generation: ino * 0x1000_0000 }),
);
const genuine = new Set(made.map((handle) => handle.toString("hex")));

export const handles: FuzzTarget = {
	name: "handles",
	longest: 80,
	seeds: () => made,
	run(input) {
		const handle = codec.decode(input);
		assert.ok(genuine.has(input.toString("hex")), "a handle that nobody made was taken");
		return `root ${handle.root[0]}`;
	},
};
