/** Whatever the API promises is tested by somebody, and described for people: each route, each code of failure. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { allRoutes, errorCodes, openApiDocument, plainRoutes } from "@pi-netboot/api";
import { RULES } from "../server/src/devices/rules.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Where tests are. Those that walk the whole table by themselves say nothing of a single route. */
const FOLDERS = ["server/src", "test", "agent", "simulator/src", "web"];
const WALKERS = /(contract|walk|docs-page)\.test\.ts$/;

function testFiles(): string[] {
	return FOLDERS.flatMap((folder) =>
		readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
			.filter((name) => /\.(test|e2e)\.tsx?$|test_\w+\.py$/.test(name) && !name.includes("node_modules"))
			.map((name) => join(root, folder, name)),
	).filter((name) => !WALKERS.test(name));
}

const tests = testFiles()
	.map((name) => readFileSync(name, "utf8"))
	.join("\n");

/** Rules that no virtual Pi can make speak by itself, and the tests in which the server is brought there. */
const NOT_PLAYED: Readonly<Record<string, string>> = {
	"image-changed": "test/qemu/builds.test.ts",
	"server-moved": "test/netns/addresses.test.ts",
	"relayed-pi3": "test/netns/networks.test.ts",
	"waits-for-its-turn": "server/src/boot/dhcp-answers.test.ts",
	"cmdline-refused": "server/src/boot/tftp-files.test.ts",
	"file-unreadable": "server/src/devices/diagnosis.test.ts",
	"block-rollover": "server/src/devices/diagnosis.test.ts",
};

/** `/api/v1/devices/:id/boots` as tests write it: with any word for `:id`, or from there on behind `${path}`. */
function writtenAs(path: string): RegExp {
	const [start = "", ...rest] = path.replace(/^\/api\/v1/, "").split(/:\w+/);
	const word = "[^\\s\"'`/]+";
	const isLong = rest.some((part) => part !== "");
	const head = isLong ? `(?:${start}${word}|\\})` : `${start}${rest.length === 0 ? "" : word}`;
	return new RegExp(`${head}${rest.join(word)}(?=["'\`?\\s]|$)`, "m");
}

/** Operations that tests ask by their names: through the client of the command line, or the page's. */
function isCalled(id: string): boolean {
	return new RegExp(`["'.]${id}\\b`).test(tests);
}

describe("the contract", () => {
	it("has a test for every route", () => {
		const untested = allRoutes().filter(([id, { path }]) => !isCalled(id) && !writtenAs(path).test(tests));
		assert.deepEqual(
			untested.map(([id]) => id),
			[],
		);
		const plain = plainRoutes.map(({ path }) => path.replaceAll(/\{(\w+)\}/g, ":$1"));
		assert.deepEqual(
			plain.filter((path) => !writtenAs(path).test(tests)),
			[],
		);
	});

	it("has a test for every code of failure", () => {
		assert.deepEqual(
			errorCodes.filter((code) => !new RegExp(`["'\`/ ]${code}["'\`/$ ]`).test(tests)),
			[],
		);
	});

	it("has a failing Pi on the page for every rule of the rule book, or says where else it is tested", () => {
		const played = readFileSync(join(root, "test/web/failures.test.ts"), "utf8");
		for (const { code } of RULES) {
			const text = code in NOT_PLAYED ? readFileSync(join(root, NOT_PLAYED[code] ?? ""), "utf8") : played;
			assert.ok(text.includes(`"${code}"`), code);
		}
		const codes = new Set(RULES.map(({ code }) => code));
		assert.deepEqual(
			Object.keys(NOT_PLAYED).filter((code) => !codes.has(code) || played.includes(`"${code}"`)),
			[],
		);
	});

	it("describes every route and every code of failure in words", () => {
		const text = JSON.stringify(openApiDocument("0.0.0"));
		for (const [id, { summary }] of allRoutes()) {
			assert.ok(text.includes(JSON.stringify(summary)), id);
			assert.ok(summary.split(" ").length >= 2, `${id}: ${summary}`);
		}
		for (const { operationId, summary } of plainRoutes) {
			assert.ok(text.includes(JSON.stringify(summary)), operationId);
			assert.ok(summary.split(" ").length >= 2, `${operationId}: ${summary}`);
		}
		for (const code of errorCodes) assert.match(text, new RegExp(`- \`${code}\`: [A-Z]`), code);
	});
});
