import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { BugError, FileError, MalformedError } from "../../base/index.ts";
import { FailureReporter, NFS3ERR_IO, NFS3ERR_SERVERFAULT } from "./status.ts";

function reporter() {
	const lines: string[] = [];
	const logger = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
	return { failures: new FailureReporter(logger), lines };
}

test("what a client is told, and what a person is", () => {
	const { failures, lines } = reporter();
	assert.equal(failures.status(new FileError("EACCES")), 13);
	assert.equal(failures.status(new MalformedError("ext4", "inode 12 is broken")), NFS3ERR_IO);
	assert.equal(failures.status(new MalformedError("ext4", "inode 12 is broken")), NFS3ERR_IO);
	assert.equal(failures.status(new BugError("a fault")), NFS3ERR_SERVERFAULT);
	assert.equal(failures.status("thrown"), NFS3ERR_SERVERFAULT);
	assert.deepEqual(lines, [
		"a client gets an input/output error: inode 12 is broken",
		"a call failed for a reason of our own: a fault",
		"a call failed for a reason of our own: thrown",
	]);
});

test("an image that is broken everywhere does not fill the log, nor hide a fault of ours", () => {
	const { failures, lines } = reporter();
	for (let ino = 0; ino < 3000; ino++) failures.status(new MalformedError("ext4", `inode ${ino} is broken`));
	assert.equal(lines.length, 1000);
	failures.status(new BugError("a fault"));
	assert.equal(lines.at(-1), "a call failed for a reason of our own: a fault");
});
