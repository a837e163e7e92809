import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { shellQuote } from "./shell.ts";

test("a shell takes what is quoted for one word", () => {
	const words = ["plain.img", "/a/b-c_d.img", "-rf", "two words", "it's", "$(id)", "a;b", "`id`", '"', "\\", "*", ""];
	const said = execFileSync("sh", ["-c", `printf '%s\\n' ${words.map(shellQuote).join(" ")}`], { encoding: "utf8" });
	assert.deepEqual(said.split("\n").slice(0, -1), words);
	assert.equal(shellQuote("plain.img"), "plain.img");
});
