import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LogLine as NumberedLine } from "@pi-netboot/api";
import { ManualClock } from "./base/index.ts";
import { createLogging, type LoggingOptions } from "./log-setup.ts";

function logging(options: Partial<LoggingOptions> = {}) {
	const written: string[] = [];
	const made = createLogging({ level: "info", format: "text", write: (text) => written.push(text), ...options });
	return { ...made, written };
}

const all = { level: "debug", limit: 100 } as const;

describe("log lines", () => {
	it("are one line for people", () => {
		const { log, written } = logging();
		log.child({ service: "boot" }).info({ device: "7bf18f79" }, "kernel8.img 24 MB in 2.1 s");
		assert.match(written[0] ?? "", /^\d\d:\d\d:\d\d info {2}boot {5}7bf18f79 {2}kernel8\.img 24 MB in 2\.1 s\n$/);
	});

	it("are pino's JSON for machines", () => {
		const { log, written } = logging({ format: "json" });
		log.child({ service: "boot" }).warn("slow");
		const { level, service, msg } = JSON.parse(written[0] ?? "");
		assert.deepEqual([level, service, msg], [40, "boot", "slow"]);
	});

	it("are kept and told to listeners", () => {
		const { log, recent, subscribe } = logging();
		const heard: NumberedLine[] = [];
		const end = subscribe((line) => heard.push(line));
		log.child({ service: "tftp" }).error({ err: new Error("EIO") }, "reading failed");
		end();
		log.info("later");
		assert.deepEqual(
			heard.map(({ level, service, message }) => [level, service, message]),
			[["error", "tftp", "reading failed: EIO"]],
		);
		assert.deepEqual(
			recent.recent(all).map((line) => line.message),
			["reading failed: EIO", "later"],
		);
	});

	it("below the level are dropped", () => {
		const { log, written, recent } = logging({ level: "warn" });
		log.info("quiet");
		assert.deepEqual([written, recent.recent(all)], [[], []]);
	});

	it("show where an error came from", () => {
		const { log, written } = logging();
		log.error(new TypeError("ours"));
		assert.match(written[0] ?? "", /error server {3}ours/);
		assert.match(written[0] ?? "", /\n {4}at .*log-setup\.test\.ts/);
	});

	it("cannot be forged by a name from outside", () => {
		const { log, written } = logging();
		log.info("no file named a\n12:00:00 info forged \u001b[2J\u202e");
		assert.equal(written[0]?.split("\n").length, 2);
		for (const sign of ["\u001b", "\u202e"]) assert.ok(!written[0]?.includes(sign));
	});

	it("cannot be forged by the message of an error", () => {
		const { log, written } = logging();
		log.error({ err: new Error("no file named a\n12:00:00 info forged\n\u001b[2J") }, "failed");
		const [line, ...stack] = written[0]?.trimEnd().split("\n") ?? [];
		assert.match(line ?? "", /failed: no file named a\\u000a12:00:00 info forged\\u000a\\u001b\[2J$/);
		assert.deepEqual(
			stack.filter((place) => !place.startsWith("    at ")),
			[],
		);
	});

	it("say an error's message once, whatever was thrown", () => {
		const { log, recent } = logging();
		log.error({ err: new Error("EIO") }, "reading failed: EIO");
		log.error({ err: "EIO" }, "reading failed");
		log.error({ err: undefined }, "reading failed");
		assert.deepEqual(
			recent.recent(all).map((line) => line.message),
			["reading failed: EIO", "reading failed: EIO", "reading failed"],
		);
	});

	it("are bounded in memory", () => {
		const { log, recent } = logging({ level: "debug" });
		for (let count = 0; count < 2500; count++) log.debug(String(count));
		const messages = recent.recent({ ...all, limit: 5000 }).map((line) => line.message);
		assert.deepEqual([messages.length, messages[0], messages.at(-1)], [2000, "500", "2499"]);
	});

	it("of one kind are counted when they are a flood, in both forms", () => {
		for (const format of ["text", "json"] as const) {
			const { log, recent, written, flush } = logging({ format, clock: new ManualClock() });
			const dhcp = log.child({ service: "dhcp" });
			for (let count = 0; count < 9912; count++) dhcp.info(`02:00:00:00:00:${count} asks where to boot from`);
			dhcp.warn("another line");
			flush();
			assert.equal(written.length, 102);
			assert.match(written.at(-1) ?? "", /and 9,812 more like this: 02:00:00:00:00:100 asks where to boot from/);
			if (format === "json") assert.equal(JSON.parse(written.at(-1) ?? "").level, 30);
			assert.equal(recent.recent({ ...all, limit: 5000 }).length, 102);
		}
	});
});
