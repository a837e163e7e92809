import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

/** `serve` in a process of its own, with a server that does this once it runs. */
function serveWith(fault: string) {
	const script = `
		import { runCli } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
		const runServer = async () => {
			setImmediate(() => { ${fault} });
			return { readyLine: "ready", stop: async () => console.log("stopped") };
		};
		setTimeout(() => process.exit(99), 20_000);
		process.exitCode = await runCli(["serve"], runServer);
	`;
	return spawnSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" });
}

test("a fault that nobody caught is logged with its place, and ends the process with 1", () => {
	for (const fault of ['throw new TypeError("oh no")', 'Promise.reject(new TypeError("oh no"))']) {
		const { status, stdout, stderr } = serveWith(fault);
		assert.equal(status, 1, stderr);
		assert.equal(stdout, "ready\n");
		assert.match(stderr, /error server {3}a fault of ours ends the server \(.*\): oh no\n {4}at .*eval/);
	}
});
