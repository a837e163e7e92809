/**
 * `npm start` in a fresh clone, with a pretended npm and runtime: what is installed when, and what is passed on. The
 * scripts run under the Node that is installed on this machine, as they do for a newcomer.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
	chmodSync,
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const places: string[] = [];
let clone: string;

after(() => {
	for (const place of places) rmSync(place, { recursive: true });
});

function script(path: string, text: string): void {
	writeFileSync(path, `#!/bin/sh\n${text}\n`);
	chmodSync(path, 0o755);
}

beforeEach(() => {
	clone = mkdtempSync(join(tmpdir(), "clone-"));
	places.push(clone);
	cpSync(join(root, "tools"), join(clone, "tools"), { recursive: true });
	cpSync(join(root, "server", "bin"), join(clone, "server", "bin"), { recursive: true });
	mkdirSync(join(clone, "fake"));
	writeFileSync(join(clone, "package-lock.json"), "{}");
	mkdirSync(join(clone, "web", "dist"), { recursive: true });
	writeFileSync(join(clone, "web", "dist", "index.html"), "");
	script(
		join(clone, "fake", "npm"),
		`echo "npm $*" >> ${clone}/npm.log; mkdir -p node_modules/.bin; cp fake/runtime node_modules/.bin/node; touch node_modules/.package-lock.json`,
	);
	script(join(clone, "fake", "runtime"), 'echo "runtime $*"; exit 7');
});

/** The Node of this machine comes first in a newcomer's PATH; npm scripts put the project's before it. */
function installedNode(): string {
	const folders = (process.env.PATH ?? "").split(":").filter((folder) => !folder.includes("node_modules"));
	return folders.map((folder) => join(folder, "node")).find((path) => existsSync(path)) ?? process.execPath;
}

const environment = () => ({ ...process.env, PATH: `${join(clone, "fake")}:${process.env.PATH}` });

function start(...args: string[]) {
	const options = { cwd: clone, encoding: "utf8", env: environment() } as const;
	return spawnSync(installedNode(), ["tools/start.mjs", ...args], options);
}

const npmCalls = () =>
	existsSync(join(clone, "npm.log")) ? readFileSync(join(clone, "npm.log"), "utf8").split("\n").length - 1 : 0;

describe("npm start", () => {
	it("installs what the lock file says, once", () => {
		const first = start();
		assert.match(first.stderr, /installing what it needs/);
		assert.match(readFileSync(join(clone, "npm.log"), "utf8"), /^npm ci /);
		assert.equal(start().stderr, "");
		assert.equal(npmCalls(), 1);
	});

	it("installs again when the lock file is newer", () => {
		start();
		const later = new Date(Date.now() + 60_000);
		utimesSync(join(clone, "package-lock.json"), later, later);
		start();
		assert.equal(npmCalls(), 2);
	});

	it("builds the page when it is older than its source, and serves without it where that fails", () => {
		start();
		mkdirSync(join(clone, "web", "src"));
		const later = new Date(Date.now() + 60_000);
		utimesSync(join(clone, "web", "src"), later, later);
		const { status, stdout, stderr } = start();
		assert.match(stderr, /building the page.*cannot be built/s);
		assert.match(stdout, /main\.ts serve\n$/);
		assert.equal(status, 7);
	});

	it("says so when it cannot install, and goes no further", () => {
		script(join(clone, "fake", "npm"), "echo no network >&2; exit 1");
		const { status, stdout, stderr } = start();
		assert.deepEqual([status, stdout], [1, ""]);
		assert.match(stderr, /no network\n.*`npm ci` failed/s);
	});

	it("serves with the project's runtime, kept small, the flags and its exit code", () => {
		const { status, stdout } = start("--http-port", "8080", "--images", "a b");
		assert.equal(
			stdout,
			`runtime --max-semi-space-size=4 ${join(clone, "server/src/main.ts")} serve --http-port 8080 --images a b\n`,
		);
		assert.equal(status, 7);
	});

	it("watches the source in development", () => {
		assert.match(
			start("--watch", "--dhcp", "off").stdout,
			/^runtime --max-semi-space-size=4 --watch --watch-preserve-output \S+main\.ts serve --dhcp off\n$/m,
		);
	});

	it("passes signals on and waits for the end", async () => {
		script(
			join(clone, "fake", "runtime"),
			"trap 'echo stopped cleanly; exit 0' TERM; echo up; while :; do sleep 0.05; done",
		);
		const child: ChildProcess = spawn(installedNode(), ["tools/start.mjs"], { cwd: clone, env: environment() });
		const ended = once(child, "exit");
		const said: string[] = [];
		child.stdout?.setEncoding("utf8").on("data", (text: string) => {
			said.push(text);
			if (text.includes("up")) child.kill("SIGTERM");
		});
		assert.deepEqual(await ended, [0, null]);
		assert.match(said.join(""), /stopped cleanly/);
	});
});

describe("npx pi-netboot", () => {
	it("finds the runtime above it where the installed Node is too old", () => {
		start();
		mkdirSync(join(clone, "server", "src"));
		writeFileSync(join(clone, "server", "src", "main.ts"), 'console.log("by itself", ...process.argv.slice(2));');
		const options = { cwd: tmpdir(), encoding: "utf8" } as const;
		const { stdout } = spawnSync(installedNode(), [join(clone, "server", "bin", "pi-netboot.mjs"), "version"], options);
		assert.match(stdout, /^(runtime --max-semi-space-size=4 \S+main\.ts|by itself) version\n$/);
	});
});
