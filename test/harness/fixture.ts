/** Fixtures that scripts make: see `test/fixtures/`. */
import { fileURLToPath } from "node:url";
import { must } from "./command.ts";

/** Runs a fixture script, which makes what is missing and prints where it is. */
export function fixture(script: string, ...parameters: string[]): Promise<string> {
	const path = fileURLToPath(new URL(`../fixtures/${script}`, import.meta.url));
	return must(["bash", path, ...parameters]);
}
