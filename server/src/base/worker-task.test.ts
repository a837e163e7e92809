import assert from "node:assert/strict";
import { test } from "node:test";
import { BugError } from "./errors.ts";
import { task } from "./worker-task.child.ts";

test("the work is done elsewhere, and tells how far it is, not each step", async () => {
	const seen: number[] = [];
	assert.equal(await task.run("work", { onProgress: (step) => seen.push(step) }), "work: done");
	assert.equal(seen[0], 0);
	assert.ok(seen.length < 1000);
});

test("what fails is an error of its class again; what is our fault is a bug", async () => {
	await assert.rejects(task.run("be broken"), { code: "EIO", message: "told: the disk failed" });
	const isBug = (message: RegExp) => (error: unknown) => error instanceof BugError && message.test(error.message);
	await assert.rejects(task.run("have a bug"), isBug(/a thing is undefined/));
	await assert.rejects(task.run("end"), isBug(/the tried one ended without a word/));
});

test("it hears that it is to give up, also when that was said before it began", async () => {
	const giveUp = new AbortController();
	const asked = task.run("wait", { signal: giveUp.signal, onProgress: () => giveUp.abort() });
	assert.equal(await asked, "wait: given up");
	assert.equal(await task.run("wait", { signal: giveUp.signal }), "wait: given up");
});
