/**
 * `npm test` and `npm run test:quick`: installs when needed, then runs the tests with the project's own runtime. Quick
 * leaves out the folders that need root or a virtual machine. The last line is `N passed, N failed`; the lines before it
 * list what was skipped and why. Further arguments name files or folders: only their tests run.
 */
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { explainMissingRuntime, findRuntime, isNewEnough, runInPlace } from "../server/bin/launch.mjs";
import { install, root } from "./install.mjs";

const folders = ["api", "server", "simulator", "test"];
const slowFolders = [join("test", "qemu"), join("test", "netns")];
const reporter = fileURLToPath(new URL("./test-reporter.mjs", import.meta.url));

/** All test files below a folder, relative to the root. */
function testFiles(folder) {
	const found = [];
	for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
		const path = join(folder, entry.name);
		if (entry.isDirectory() && entry.name !== "node_modules") found.push(...testFiles(path));
		if (entry.isFile() && entry.name.endsWith(".test.ts")) found.push(path);
	}
	return found.sort();
}

const isIn = (file, folder) => file === folder || file.startsWith(folder + sep);

/** @returns {{ files: string[], leftOut: string[] }} */
function choose(all, quick, wanted) {
	const asked = wanted.length === 0 ? all : all.filter((file) => wanted.some((place) => isIn(file, place)));
	const isSlow = (file) => quick && slowFolders.some((folder) => isIn(file, folder));
	return { files: asked.filter((file) => !isSlow(file)), leftOut: asked.filter(isSlow) };
}

async function test(args) {
	if (!install()) return 1;
	const runtime = findRuntime() ?? (isNewEnough() ? process.execPath : undefined);
	if (runtime === undefined) {
		explainMissingRuntime();
		return 1;
	}
	const quick = args.includes("--quick");
	const wanted = args.filter((arg) => !arg.startsWith("-")).map((place) => relative(root, resolve(place)));
	const { files, leftOut } = choose(folders.flatMap(testFiles), quick, wanted);
	if (files.length === 0) {
		console.error("no test file fits");
		return 1;
	}
	for (const file of leftOut) console.log(`left out by --quick: ${file}`);
	process.chdir(root);
	const concurrency = `--test-concurrency=${Math.max(2, availableParallelism())}`;
	return runInPlace(runtime, ["--test", concurrency, `--test-reporter=${reporter}`, ...files]);
}

process.exitCode = await test(process.argv.slice(2));
