/** The memory of the whole server while it unpacks an image that lies in its folder. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Background } from "../test/harness/command.ts";
import { forgetPeak, peakMegabytes } from "./load.ts";

const PROGRAM = fileURLToPath(new URL("../server/bin/pi-netboot.mjs", import.meta.url));
const FIRST_PORT = 39_400;

/** A file that was not written to for so long counts as complete. */
const HOUR = 3600;

/**
 * Starts a server of its own on loopback, with DHCP off, for each file.
 *
 * @param programs whether the server finds the programs of the formats.
 * @returns most megabytes before it was given the file, and from then until it was unpacked.
 */
export async function memoryOf(packed: string, programs: boolean): Promise<{ before: number; during: number }> {
	const folder = mkdtempSync(path.join(tmpdir(), "bench-unpack-server-"));
	const [images, data] = [path.join(folder, "images"), path.join(folder, "data")];
	for (const each of [images, data]) mkdirSync(each);
	const flags = ["http", "dhcp", "tftp", "nfs", "portmap"].flatMap((name, at) => [
		`--${name}-port`,
		`${FIRST_PORT + at}`,
	]);
	const where = ["--interface", "lo", "--dhcp", "off", "--images", images, "--data", data];
	const nowhere = programs ? {} : { PATH: path.dirname(process.execPath) };
	const server = new Background([process.execPath, "--max-semi-space-size=4", PROGRAM, "serve", ...where, ...flags], {
		environment: { HOME: data, ...nowhere },
	});
	try {
		await server.waitFor(/^ready http/m, 30_000);
		await sleep(1000);
		const pid = server.process.pid ?? 0;
		await forgetPeak(pid);
		const before = await peakMegabytes(pid);
		await unpacked(packed, images, data);
		return { before, during: await peakMegabytes(pid) };
	} finally {
		await server.stop("SIGTERM");
		rmSync(folder, { recursive: true });
	}
}

/** Gives the server the file, and waits until it needs it no more. */
async function unpacked(packed: string, images: string, data: string): Promise<void> {
	const arriving = path.join(images, ".arriving");
	execFileSync("cp", [packed, arriving]);
	execFileSync("touch", ["-d", `@${Math.floor(Date.now() / 1000) - HOUR}`, arriving]);
	renameSync(arriving, path.join(images, `image.img.${path.extname(packed).slice(1)}`));
	const token = readFileSync(path.join(data, "token"), "utf8").trim();
	for (let state = "importing"; state === "importing"; await sleep(100)) {
		const answer = await fetch(`http://127.0.0.1:${FIRST_PORT}/api/v1/images`, {
			headers: { authorization: `Bearer ${token}` },
		});
		const { images: listed } = (await answer.json()) as { images: { state: string }[] };
		state = listed[0]?.state ?? "importing";
	}
}
