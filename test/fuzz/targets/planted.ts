/** A decoder with every kind of defect, to see that each is found. It is no part of what `npm run fuzz` runs. */
import { MalformedError } from "../../../server/src/base/index.ts";
import type { FuzzTarget } from "../target.ts";

const DEFECTS: Readonly<Record<string, () => string>> = {
	error: () => {
		throw new TypeError("an error that is not ours");
	},
	allocation: () => String(Buffer.alloc(0x4000_0000).length),
	swallowed: () => {
		try {
			return String(Buffer.allocUnsafe(0x7000_0000).length);
		} catch {
			return "nothing happened";
		}
	},
	hang: () => {
		for (;;);
	},
	promise: () => {
		throw new RangeError("thrown while a promise was awaited");
	},
	memory: () => {
		for (const list: object[] = []; ; ) list.push({ more: list.length });
	},
};

export const planted: FuzzTarget = {
	name: "planted",
	words: ["error"],
	seeds: () => [Buffer.from("good")],
	async run(input) {
		const text = input.toString("latin1");
		if (text.startsWith("promise")) await Promise.resolve();
		const defect = Object.entries(DEFECTS).find(([name]) => text.startsWith(name));
		if (defect !== undefined) return defect[1]();
		if (!text.startsWith("good")) throw new MalformedError("planted", `planted: got "${text}", expected good`);
		return "good";
	},
};
