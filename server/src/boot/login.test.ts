import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import { parseAuthorizedKeys } from "./login.ts";

const folder = mkdtempSync(join(tmpdir(), "netboot-login-"));
after(() => rmSync(folder, { recursive: true }));

/** A public key as ssh-keygen makes it. */
function makeKey(type: string): string {
	const path = join(mkdtempSync(join(folder, "key-")), type);
	execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "me@home", "-f", path]);
	return readFileSync(`${path}.pub`, "utf8").trim();
}

describe("parseAuthorizedKeys", () => {
	it("takes keys of every type that ssh-keygen makes", () => {
		const keys = ["ed25519", "ecdsa", "rsa"].map(makeKey);
		assert.deepEqual(parseAuthorizedKeys(`# mine\n\n${keys.join("\r\n")}\n`), { keys, findings: [] });
	});

	it("takes each key once, and keeps options with blanks in quotes", () => {
		const key = `command="echo \\"hi you\\"",no-pty ${makeKey("ecdsa")}`;
		assert.deepEqual(parseAuthorizedKeys(`${key}\n${key}`).keys, [key]);
	});

	it("says which lines are no keys", () => {
		const { keys, findings } = parseAuthorizedKeys("ssh-ed25519 AAAA\nhello\nssh-rsa not!base64");
		assert.deepEqual(keys, []);
		assert.equal(findings.length, 3);
		assert.match(findings[1] ?? "", /line 2/);
	});

	it("takes no key whose blob is of another type", () => {
		const [, blob = ""] = makeKey("ed25519").split(" ");
		assert.deepEqual(parseAuthorizedKeys(`ssh-rsa ${blob}`).keys, []);
	});

	it("never lets a line through that holds two, whatever the input", () => {
		fc.assert(
			fc.property(fc.string(), (text) => {
				for (const key of parseAuthorizedKeys(text).keys) assert.doesNotMatch(key, /[\r\n]/);
			}),
		);
	});
});
