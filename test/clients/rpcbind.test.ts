/** The real rpcbind takes our registrations, and the real rpcinfo understands our own port mapper; in namespaces. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { must, run } from "../harness/command.ts";

const session = fileURLToPath(new URL("rpcbind-session.ts", import.meta.url));
const ours = ["100003 3 tcp 2049", "100005 3 tcp 2049", "100005 3 udp 2049"];

async function missing(): Promise<string | false> {
	if (process.getuid?.() !== 0) return "needs root for namespaces";
	for (const program of ["rpcbind", "rpcinfo", "unshare", "ip"]) {
		const found = await run(["sh", "-c", `command -v ${program}`]);
		if (found.status !== 0) return `needs ${program}`;
	}
	return false;
}

const skip = await missing();

/** Runs the session with an empty /run and a network that is only loopback. */
async function inNamespaces(prepare: string, mode: string): Promise<unknown> {
	const script = `mount -t tmpfs tmpfs /run && ip link set lo up && ${prepare} exec "$0" "$1" ${mode}`;
	const isolate = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child"];
	return JSON.parse(await must([...isolate, "sh", "-c", script, process.execPath, session], { timeout: 20_000 }));
}

test("rpcbind registers our programs, over its socket and over TCP, and only ours go again", { skip }, async () => {
	const cycle = { during: ours, refused: "EEXIST", afterRefusal: ours, after: [] };
	// rpcbind goes into the background itself when it is ready
	assert.deepEqual(await inNamespaces("rpcbind &&", "host"), [cycle, cycle, { silent: "ECONNREFUSED" }]);
});

test("rpcinfo lists our own port mapper", { skip }, async () => {
	assert.deepEqual(await inNamespaces("", "own"), [{ during: ours }]);
});
