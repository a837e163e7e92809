/** Unpacks each file of a folder onto a tiny tmpfs that somebody else fills meanwhile. Prints what became of each as JSON. */
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isNetbootError, systemCode } from "../../server/src/base/index.ts";
import { unpackImage } from "../../server/src/images/import/unpacker.ts";

const [disk = "", sources = ""] = process.argv.slice(2);
const FILL = "fill";
const said: object[] = [];

function fillDisk(): void {
	const block = Buffer.alloc(1 << 20, 1);
	try {
		for (;;) writeFileSync(join(disk, FILL), block, { flag: "a" });
	} catch (error) {
		if (systemCode(error) !== "ENOSPC") throw error;
	}
}

async function failureOf(source: string, isBuiltIn: boolean): Promise<unknown> {
	let isFull = false;
	const onProgress = () => {
		if (!isFull) fillDisk();
		isFull = true;
	};
	const limits = { reserveBytes: 0 };
	try {
		await unpackImage({ source: join(sources, source), target: join(disk, "x.img"), limits, isBuiltIn, onProgress });
		return "it was unpacked";
	} catch (error) {
		return isNetbootError(error) ? [error.code, error.message] : String(error);
	}
}

for (const isBuiltIn of [false, true]) {
	for (const source of readdirSync(sources).sort()) {
		const failure = await failureOf(source, isBuiltIn);
		said.push({ source, isBuiltIn, failure, left: readdirSync(disk) });
		rmSync(join(disk, FILL), { force: true });
	}
}
process.stdout.write(JSON.stringify(said));
