import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { ByteReader } from "../../base/index.ts";
import { openSshKey } from "./openssh-key.ts";

const folder = mkdtempSync(join(tmpdir(), "netboot-key-"));
after(() => rmSync(folder, { recursive: true }));

const PEM = { type: "pkcs8", format: "pem" } as const;
const ed25519 = () => generateKeyPairSync("ed25519").privateKey.export(PEM).toString();
const ecdsa = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve }).privateKey.export(PEM).toString();
const rsa = () => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export(PEM).toString();

/** What OpenSSH itself makes of a private key: its public key, and the signature of a text, checked. */
function readByOpenSsh(pem: string): { written: string; derived: string } {
	const key = openSshKey(pem, "root@pi");
	const path = join(mkdtempSync(join(folder, "k-")), "key");
	writeFileSync(path, key.privateKey, { mode: 0o600 });
	const derived = execFileSync("ssh-keygen", ["-y", "-f", path], { encoding: "utf8" });
	writeFileSync(`${path}.txt`, "hello");
	execFileSync("ssh-keygen", ["-q", "-Y", "sign", "-f", path, "-n", "file", `${path}.txt`], { stdio: "pipe" });
	writeFileSync(`${path}.allowed`, `me ${key.publicKey}`);
	const verify = ["-Y", "verify", "-f", `${path}.allowed`, "-I", "me", "-n", "file", "-s", `${path}.txt.sig`];
	execFileSync("ssh-keygen", verify, { input: "hello", stdio: "pipe" });
	return { written: key.publicKey, derived };
}

/** The encrypted part (with the cipher "none") of an ECDSA key, and its private number. */
function ecdsaNumber(privateKey: string): { secret: Buffer; number: Buffer } {
	const reader = new ByteReader(Buffer.from(privateKey.replace(/-----.*-----|\n/g, ""), "base64"), "ssh-key");
	const string = (from = reader) => from.bytes(from.u32());
	reader.skip("openssh-key-v1\0".length);
	for (let count = 3; count > 0; count -= 1) string();
	assert.equal(reader.u32(), 1);
	string();
	const secret = string();
	const inner = new ByteReader(secret, "ssh-key");
	assert.equal(inner.u32(), inner.u32());
	for (let count = 3; count > 0; count -= 1) string(inner);
	return { secret, number: string(inner) };
}

describe("openSshKey", () => {
	const kinds: [string, () => string][] = [
		["ed25519", ed25519],
		["P-256", () => ecdsa("P-256")],
		["P-384", () => ecdsa("P-384")],
		["P-521", () => ecdsa("P-521")],
		["rsa", rsa],
	];
	for (const [kind, make] of kinds) {
		it(`writes ${kind} keys that OpenSSH reads, signs with and verifies`, () => {
			// Several, because a number that begins with a zero or a set bit is written in another length.
			for (let count = kind === "rsa" ? 1 : 5; count > 0; count -= 1) {
				const { written, derived } = readByOpenSsh(make());
				assert.equal(derived, written);
			}
		});
	}

	const skip = existsSync("/usr/bin/dropbearkey") ? false : "needs the program dropbearkey";
	it("writes keys that Dropbear reads", { skip }, () => {
		for (const make of [ed25519, () => ecdsa("P-256"), () => ecdsa("P-521"), rsa]) {
			const key = openSshKey(make(), "root@pi");
			const path = join(mkdtempSync(join(folder, "d-")), "key");
			writeFileSync(path, key.dropbearKey, { mode: 0o600 });
			const said = execFileSync("dropbearkey", ["-y", "-f", path], { encoding: "utf8" });
			const [type, blob] = key.publicKey.split(" ");
			assert.ok(said.includes(`\n${type} ${blob}`), said);
		}
	});

	it("writes numbers without a sign and without needless zeros, and pads to 8 bytes", () => {
		for (let count = 0; count < 300; count += 1) {
			const { secret, number } = ecdsaNumber(openSshKey(ecdsa("P-256"), "c").privateKey);
			assert.equal(secret.length % 8, 0);
			const [first = 0, second = 0] = number;
			assert.ok(first < 0x80 && (first !== 0 || second >= 0x80), number.toString("hex"));
		}
	});

	it("gives the same text for the same key", () => {
		const pem = ed25519();
		assert.deepEqual(openSshKey(pem, "a"), openSshKey(pem, "a"));
	});

	it("refuses a kind of key that sshd does not have", () => {
		const pem = generateKeyPairSync("x25519").privateKey.export(PEM).toString();
		assert.throws(() => openSshKey(pem, "a"), { code: "unsupported-ssh-key" });
	});
});
