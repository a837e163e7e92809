import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogging } from "../log-setup.ts";
import { EventHub } from "./event-hub.ts";

test("a listener that fails is told no more, the others and the publisher go on", () => {
	const logging = createLogging({ level: "info", format: "text", write: () => undefined });
	const hub = new EventHub(logging.log);
	const heard: string[] = [];
	logging.subscribe((line) => hub.publish({ type: "log", data: line }));
	hub.subscribe(() => assert.fail("a fault of ours"));
	hub.subscribe(({ data }) => heard.push("message" in data ? data.message : "device"));
	for (const id of ["7bf18f79", "7bf18f80"]) hub.publish({ type: "device", data: { id } });
	assert.deepEqual(heard, [
		"a listener of live events failed and is told no more: a fault of ours",
		"device",
		"device",
	]);
});

test("the last events are remembered: a thousand, or 256 KiB", () => {
	const hub = new EventHub(createLogging({ level: "info", format: "text", write: () => undefined }).log);
	const start = hub.lastId;
	for (let count = 0; count < 1000; count++) hub.publish({ type: "image", data: { id: `i${count}` } });
	assert.equal(hub.since(start)?.length, 1000);
	const later = hub.lastId;
	assert.deepEqual(hub.since(later), []);
	hub.publish({ type: "image", data: { id: "one-more" } });
	assert.equal(hub.since(start), undefined);
	assert.deepEqual(
		hub.since(later)?.map(({ json }) => json),
		['{"id":"one-more"}'],
	);
	for (let count = 0; count < 5; count++) hub.publish({ type: "image", data: { id: "x".repeat(60_000) } });
	assert.equal(hub.since(later), undefined);
});
