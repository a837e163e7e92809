import assert from "node:assert/strict";
import { test } from "node:test";
import { asFolderError } from "./limits.ts";

function system(code: string): Error {
	return Object.assign(new Error(`${code}: refused`), { code });
}

test("what the system says of the images folder is told with what to do; anything else stays what it is", () => {
	for (const code of ["EACCES", "EPERM", "EROFS"]) {
		const told = asFolderError("/images", system(code));
		assert.ok(told instanceof Error && "code" in told && "hint" in told);
		assert.deepEqual(
			[told.code, told.message],
			["import-failed", `The images folder /images cannot be changed: ${code}: refused.`],
		);
	}
	const full = asFolderError("/images", system("ENOSPC"));
	assert.ok(full instanceof Error && "code" in full && full.code === "import-no-space");
	for (const other of [system("EIO"), new TypeError("a fault"), full])
		assert.equal(asFolderError("/images", other), other);
});
