/** The text of `api/openapi.json`, as it is committed. */
import { readFileSync } from "node:fs";
import { openApiDocument } from "../src/index.ts";

/** The version is the package's, so the file changes with each release. */
export function openApiText(): string {
	const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
	return `${JSON.stringify(openApiDocument(String(version)), null, "\t")}\n`;
}
