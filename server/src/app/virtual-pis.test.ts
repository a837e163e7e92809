import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Logger, NetbootError, silentLogger } from "../base/index.ts";
import { VirtualPis } from "./virtual-pis.ts";

let folder = "";

before(() => {
	folder = mkdtempSync(join(tmpdir(), "virtual-"));
});

after(() => rmSync(folder, { recursive: true }));

interface Listening {
	readonly log: Logger;
	/** The line that comes after those that were read. */
	readonly next: () => Promise<string>;
}

function listening(): Listening {
	const lines: string[] = [];
	const waiting: ((line: string) => void)[] = [];
	const hear = (message: unknown) => {
		const first = waiting.shift();
		if (first === undefined) lines.push(String(message));
		else first(String(message));
	};
	const log: Logger = { ...silentLogger, info: hear, warn: hear };
	const next = async () => lines.shift() ?? (await new Promise<string>((resolve) => waiting.push(resolve)));
	return { log, next };
}

/** In place of our own program. */
function pretended(text: string): string[] {
	const path = join(folder, `${text.length}.mjs`);
	writeFileSync(path, text);
	return [process.execPath, path];
}

const url = () => "http://127.0.0.1:38434";

describe("virtual Pis", () => {
	it("are simulated by a process of its own, which asks this server", async () => {
		const { log, next } = listening();
		const program = pretended("console.log(process.argv.slice(2).join(' ')); process.exit(3)");
		new VirtualPis({ program, url, log }).start("pi4");
		assert.equal(await next(), "a virtual pi4 is switched on");
		assert.equal(
			await next(),
			"the virtual pi4 did not boot: simulate --model pi4 --first 1 --url http://127.0.0.1:38434 --server 127.0.0.1 --seconds 120",
		);
	});

	it("play what goes wrong", async () => {
		const { log, next } = listening();
		const program = pretended("console.log(process.argv.slice(-2).join(' ')); process.exit(4)");
		new VirtualPis({ program, url, log }).start("pi5", "no-init");
		assert.equal(await next(), "a virtual pi5 is switched on, which plays no-init");
		assert.equal(await next(), "the virtual pi5 did not boot: --plays no-init");
	});

	it("of one model that boot at once are Pis of their own, and one that is started again is the same", async () => {
		const { log, next } = listening();
		const program = pretended("console.log(process.argv[4], process.argv[6]); process.exit(3)");
		const pis = new VirtualPis({ program, url, log });
		for (const model of ["pi5", "pi5", "pi4"] as const) pis.start(model);
		for (let count = 0; count < 3; count++) await next();
		const ended = [await next(), await next(), await next()].map((line) => line.split(": ")[1]);
		assert.deepEqual(ended.sort(), ["pi4 1", "pi5 1", "pi5 2"]);
		pis.start("pi5");
		await next();
		assert.match(await next(), /: pi5 1$/);
	});

	it("say when they have booted", async () => {
		const { log, next } = listening();
		new VirtualPis({ program: pretended(""), url, log }).start("pi5");
		assert.deepEqual([await next(), await next()], ["a virtual pi5 is switched on", "the virtual pi5 has booted"]);
	});

	it("are four at most, and end with the server", async () => {
		const { log, next } = listening();
		const pis = new VirtualPis({ program: pretended("setInterval(() => {}, 1000);"), url, log });
		for (let count = 0; count < 4; count++) pis.start("pi5");
		assert.throws(
			() => pis.start("pi5"),
			(error) => error instanceof NetbootError && error.code === "conflict",
		);
		for (let count = 0; count < 4; count++) await next();
		pis.stop();
		for (let count = 0; count < 4; count++) assert.match(await next(), /is switched off with the server$/);
	});

	it("that say nothing are told of by how they ended", async () => {
		const { log, next } = listening();
		new VirtualPis({ program: pretended("process.exit(5)"), url, log }).start("pi4");
		await next();
		assert.equal(await next(), "the virtual pi4 did not boot: it ended with status 5");
		new VirtualPis({ program: pretended("process.kill(process.pid, 'SIGKILL')"), url, log }).start("pi4");
		await next();
		assert.equal(await next(), "the virtual pi4 did not boot: it was ended by SIGKILL");
	});

	it("that cannot be started at all are told of", async () => {
		const { log, next } = listening();
		new VirtualPis({ program: [join(folder, "none")], url, log }).start("pi4");
		await next();
		assert.match(await next(), /does not start: spawn .* ENOENT/);
	});
});
