/** A `zstd` that stops in the middle until a test lets it go on, or lets it fail: so long, an image is half unpacked. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const BLOCK = 65_536;

export interface GatedZstd {
	/** For a PATH: it comes before the real one. */
	readonly path: string;
	/** Lets what is being unpacked come to its end, and what will be. */
	open(): void;
	/** Lets it end with the words that the program has for damaged data. */
	fail(): void;
	/** Holds the next one up again. */
	close(): void;
}

/** @param bytes that come before it stops; rounded down to 64 KiB. */
export function makeGatedZstd(folder: string, bytes: number): GatedZstd {
	const place = path.join(folder, "gated");
	const gate = path.join(place, "gate");
	const real = execFileSync("sh", ["-c", "command -v zstd"], { encoding: "utf8" }).trim();
	fs.mkdirSync(place);
	const script = `#!/bin/sh
case "$*" in *--version*) exec ${real} "$@" ;; esac
${real} -dcq | {
	dd bs=${BLOCK} iflag=fullblock count=${Math.floor(bytes / BLOCK)} status=none
	until [ -e '${gate}' ]; do sleep 0.05; done
	if [ -s '${gate}' ]; then cat '${gate}' >&2; exit 1; fi
	cat
}
`;
	fs.writeFileSync(path.join(place, "zstd"), script, { mode: 0o755 });
	return {
		path: `${place}:${process.env.PATH}`,
		open: () => fs.writeFileSync(gate, ""),
		fail: () => fs.writeFileSync(gate, "zstd: /*stdin*\\ : Decoding error (36) : Data corruption detected\n"),
		close: () => fs.rmSync(gate, { force: true }),
	};
}
