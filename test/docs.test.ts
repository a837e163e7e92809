/** What is written for people leads somewhere: links, headings, the settings of `serve`. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { settings } from "../server/src/config.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** The targets of a page's links and pictures that are files here, with the heading that is named. */
function linksOf(page: string): { readonly path: string; readonly heading: string | undefined }[] {
	const text = read(page).replaceAll(/^( {4}|\t).*$/gm, "");
	return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
		.map(([, target = ""]) => target)
		.filter((target) => !/^[a-z]+:/.test(target))
		.map((target) => {
			const [file = "", heading] = target.split("#");
			return { path: file === "" ? page : relative(root, resolve(root, dirname(page), file)), heading };
		});
}

/** As GitHub names them. */
function headingsOf(page: string): string[] {
	return [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
		heading
			.toLowerCase()
			.replaceAll(/[^\w\- ]/g, "")
			.replaceAll(" ", "-"),
	);
}

/** Everything that is come to from a page by links. */
function reachedFrom(page: string, seen = new Set([page])): Set<string> {
	for (const { path } of linksOf(page)) {
		if (!path.endsWith(".md") || seen.has(path) || !existsSync(join(root, path))) continue;
		seen.add(path);
		reachedFrom(path, seen);
	}
	return seen;
}

const pages = [...reachedFrom("README.md")];

describe("the documentation", () => {
	it("is all come to from the README", () => {
		const docs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
		assert.deepEqual(
			docs.filter((name) => !pages.includes(`docs/${name}`)),
			[],
		);
	});

	it("has no link that leads nowhere", () => {
		const dead = pages.flatMap((page) =>
			linksOf(page)
				.filter(({ path, heading }) => {
					if (!existsSync(join(root, path))) return true;
					return heading !== undefined && !headingsOf(path).includes(heading);
				})
				.map(({ path, heading = "" }) => `${page}: ${path}#${heading}`),
		);
		assert.deepEqual(dead, []);
	});

	it("has every flag and variable of serve in the README, and every variable in compose.yaml", () => {
		const readme = read("README.md");
		const compose = read("compose.yaml");
		const inside = ["IMAGES_DIR", "DATA_DIR"];
		for (const { flag, env } of Object.values(settings)) {
			assert.ok(readme.includes(`${flag.split(" ")[0]}`), flag);
			for (const name of [env].flat()) {
				const isPort = /^(TFTP|NFS|PORTMAP)_PORT$/.test(name);
				assert.ok(isPort || readme.includes(`\`${name}\``), name);
				if (!inside.includes(name)) assert.match(compose, new RegExp(`^ {6}${name}:$`, "m"));
			}
		}
	});
});
