/** The rules of axe for pages that everybody can use, run on a page as it is now. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

interface AxeResults {
	readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Beside those that are on by default. */
const more = { "target-size": { enabled: true } };

/** What a rule is broken by, in lines. @param rules those that are looked at; without them all. */
export async function violations(page: Page, rules?: readonly string[]): Promise<string[]> {
	await page.evaluate(axe);
	const options = { resultTypes: ["violations"], ...(rules === undefined ? { rules: more } : { runOnly: rules }) };
	const { violations: found } = (await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as AxeResults;
	return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}
