import assert from "node:assert/strict";
import { test } from "node:test";
import { FileError } from "./files.ts";

test("a file that is not there is an answer, not a fault: it tells no place; all else does", () => {
	const limit = Error.stackTraceLimit;
	assert.doesNotMatch(new FileError("ENOENT").stack ?? "", /\n +at /);
	assert.equal(Error.stackTraceLimit, limit);
	assert.match(new FileError("EIO", "the disk fails").stack ?? "", /the disk fails\n +at /);
});

test("a message is the code where nothing is to be added", () => {
	const { name, code, message } = new FileError("ENOTEMPTY");
	assert.deepEqual([name, code, message], ["FileError", "ENOTEMPTY", "ENOTEMPTY"]);
});
