import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { readImagerSettings } from "./imager-settings.ts";

describe("imager.json", () => {
	const folder = mkdtempSync(join(tmpdir(), "imager-"));
	after(() => rmSync(folder, { recursive: true }));
	const put = (text: string) => writeFileSync(join(folder, "imager.json"), text);

	it("need not be there", async () => {
		assert.deepEqual(await readImagerSettings(folder), {});
	});

	it("takes the config.json of the predecessor as it is", async () => {
		const old = {
			allowed_ips: ["10.10.200.75", "10.10.200.0/24"],
			shared_secret: "openseastack-netboot-2024",
			port: 8888,
		};
		put(JSON.stringify(old));
		assert.deepEqual(await readImagerSettings(folder), old);
	});

	it("refuses what the agent could not use, with where and what to do", async () => {
		const wrong = [
			"",
			"[]",
			'{"allowed_ips":["everybody"]}',
			'{"shared_secret":"short"}',
			'{"secret":"of the server"}',
		];
		for (const text of [...wrong, '{"port":0}']) {
			put(text);
			await assert.rejects(readImagerSettings(folder), (error: Error & { hint?: string }) => {
				assert.match(error.message, /imager\.json cannot be used: ./, text);
				return /Correct it or delete it/.test(error.hint ?? "");
			});
		}
	});
});
