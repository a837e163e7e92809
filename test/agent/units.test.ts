/** The agent's own tests in Python, and its types, for the oldest Python that it runs on. */
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { must } from "../harness/command.ts";
import { AGENT } from "../harness/imager.ts";
import { lacks } from "../harness/needs.ts";

const TESTS = fileURLToPath(new URL("../../agent/tests", import.meta.url));

describe("the agent", () => {
	it("passes its unit tests", async (context) => {
		const skip = await lacks(["python3"]);
		if (skip) return context.skip(skip);
		await must(["python3", "-B", "-m", "unittest", "discover", "-s", TESTS]);
	});

	it("has no error of types, for Python 3.9", async (context) => {
		const skip = await lacks(["mypy"]);
		if (skip) return context.skip(skip);
		await must(["mypy", "--strict", "--python-version", "3.9", "--cache-dir=/dev/null", AGENT]);
	});
});
