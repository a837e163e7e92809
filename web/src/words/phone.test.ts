import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { phoneLink } from "./phone.ts";

const SERVER = "http://192.0.2.2:38434";
const link = (origin: string, server: string | null = SERVER, code?: string) =>
	phoneLink({ origin, path: "/devices/7bf18f79" }, server, code);

describe("the link for a phone", () => {
	it("is an address that a phone reaches", () => {
		const page = "/devices/7bf18f79";
		for (const origin of [
			"http://localhost:38434",
			"http://127.0.0.1:38434",
			"http://[::1]:38434",
			"http://bench:38434",
		])
			assert.equal(link(origin), SERVER + page, origin);
		for (const origin of ["http://10.0.0.9:38434", "https://netboot.example.org"])
			assert.equal(link(origin), origin + page, origin);
		assert.equal(link("http://bench.local:38434", null), `http://bench.local:38434${page}`);
		assert.equal(link("http://localhost:38434", null), undefined);
	});

	it("logs in, and leads to the same page", () => {
		assert.equal(link(SERVER, SERVER, "abc"), `${SERVER}/?code=abc&to=%2Fdevices%2F7bf18f79`);
		assert.equal(phoneLink({ origin: SERVER, path: "/" }, SERVER, "abc"), `${SERVER}/?code=abc`);
	});
});
