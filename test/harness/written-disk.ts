/** Whether a disk holds an image: looked at from outside, past the page cache, with the map that the server made. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "./command.ts";

const BLOCK = 4096;
const CHUNK = 4 << 20;

export interface WrittenDisk {
	readonly device: string;
	readonly image: string;
	/** Path of the image's map. */
	readonly map: string;
	/** A folder for copies. */
	readonly folder: string;
}

async function bytesOf(device: string, folder: string, mebibytes: number): Promise<Buffer> {
	const copy = join(folder, "bytes-of-disk");
	await must(["dd", `if=${device}`, `of=${copy}`, "bs=1M", `count=${mebibytes}`, "iflag=direct", "status=none"]);
	return readFileSync(copy);
}

/** Every block in use is on the disk, and what must be zero is. @returns how many bytes of both there are. */
export async function assertHolds({
	device,
	image,
	map,
	folder,
}: WrittenDisk): Promise<{ data: number; zero: number }> {
	const wanted = readFileSync(image);
	const disk = await bytesOf(device, folder, Math.ceil(wanted.length / 2 ** 20));
	const found = { data: 0, zero: 0 };
	for (const [n, , , , , data, zero] of JSON.parse(readFileSync(map, "utf8")).chunks) {
		for (const [kind, runs] of [["data", data] as const, ["zero", zero] as const]) {
			for (let at = 0; at < runs.length; at += 2) {
				const start = n * CHUNK + runs[at] * BLOCK;
				const end = Math.min(wanted.length, start + runs[at + 1] * BLOCK);
				assert.ok(disk.subarray(start, end).equals(wanted.subarray(start, end)), `${kind} at ${start} to ${end}`);
				found[kind] += end - start;
			}
		}
	}
	return found;
}

/** No firmware finds anything to boot at its start. */
export async function assertDoesNotBoot(device: string, folder: string): Promise<void> {
	const start = await bytesOf(device, folder, 1);
	assert.ok(
		start.every((byte) => byte === 0),
		"the start of the disk is not wiped",
	);
}
