import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hashPassword, sha512Crypt } from "./sha512-crypt.ts";

describe("SHA-512 crypt", () => {
	/** Of the specification, and one of glibc. */
	const vectors: [rounds: number | undefined, salt: string, password: string, hash: string][] = [
		[
			undefined,
			"saltstring",
			"Hello world!",
			"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
		],
		[
			10_000,
			"saltstringsaltstring",
			"Hello world!",
			"$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
		],
		[
			undefined,
			"abc",
			"pässwörd, longer than a digest: 0123456789 0123456789 0123456789 0123456789",
			"$6$abc$EPgJd7bjOrkDnkYIR9pmZOh.rsf18auitMQg3Sojk7MPROv5ywpdrs5IZudkqttFS1oQTDv2ai66Nutx9e5HM.",
		],
		[
			5000,
			"toolongsaltstring",
			"This is just a test",
			"$6$rounds=5000$toolongsaltstrin$lQ8jolhgVRVhY4b5pZKaysCLi0QBxGoNeKQzQ3glMhwllF7oGDZxUhx1yxdYcz/e1JSbq3y6JMxxl8audkUEm0",
		],
	];
	for (const [rounds, salt, password, hash] of vectors) {
		test(`has the hash of "${password}" with ${salt}`, async () => {
			assert.equal(await sha512Crypt(password, salt, rounds), hash);
		});
	}

	test("salts each hash anew", async () => {
		const [one, two] = await Promise.all([hashPassword("hunter2"), hashPassword("hunter2")]);
		for (const hash of [one, two]) assert.match(hash, /^\$6\$[./A-Za-z0-9]{16}\$[./A-Za-z0-9]{86}$/);
		assert.notEqual(one, two);
		assert.equal(await sha512Crypt("hunter2", one.split("$")[2] ?? ""), one);
	});
});
