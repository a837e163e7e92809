/**
 * `npm test` and `npm run test:quick`: installs and builds the page when needed, then runs the tests with the project's own runtime. Quick
 * runs what stands beside the code, which needs neither root nor a network or machine of its own. The last line is `N passed,
 * N failed`; the lines before it list what was skipped and why. Further arguments name files or folders: only their tests
 * run. What is in `test/slow` only runs when it is named.
 */
import { readdirSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { explainMissingRuntime, findRuntime, isNewEnough, runInPlace } from "../server/bin/launch.mjs";
import { buildPage } from "./build.mjs";
import { install, root } from "./install.mjs";

const folders = ["api", "server", "simulator", "test", "web"];
/** Folders whose tests have a network or a machine of their own. */
const laboratories = ["agent", "clients", "disk", "netns", "qemu", "slow", "web"].map((name) => join("test", name));
const onRequest = join("test", "slow");
/** Tests with guests, which keep a processor busy. */
const withGuests = [join("test", "qemu"), onRequest];
/** An attack is judged by how a server grows and how soon a Pi boots: nothing that takes much runs beside it but a guest. */
const hostile = join("test", "netns", "hostile");
/** What takes a minute and more comes first among those that mostly wait, so that nobody waits for it in the end. */
const long = [join("test", "web"), join("test", "netns", "container"), join("test", "netns", "networks")];
const runner = fileURLToPath(new URL("./run-tests.mjs", import.meta.url));

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

const isOfLaboratory = (file) => laboratories.some((folder) => isIn(file, folder));

const isOfGuests = (file) => withGuests.some((folder) => isIn(file, folder));

/** What comes first has the lower number. */
function rankOf(file) {
	const rank = long.findIndex((beginning) => file.startsWith(beginning));
	return rank === -1 ? long.length : rank;
}

/** @returns {{ together: string[], guests: string[], quiet: string[], patient: string[], leftOut: string[] }} */
function choose(all, quick, wanted) {
	const isWanted = (file) => (wanted.length === 0 ? !isIn(file, onRequest) : wanted.some((place) => isIn(file, place)));
	const asked = all.filter(isWanted);
	const together = asked.filter((file) => !isOfLaboratory(file));
	const laboratory = asked.filter(isOfLaboratory);
	if (quick) return { together, guests: [], quiet: [], patient: [], leftOut: laboratory };
	const guests = laboratory.filter(isOfGuests);
	const quiet = laboratory.filter((file) => file.startsWith(hostile));
	const patient = laboratory.filter((file) => !guests.includes(file) && !quiet.includes(file));
	return { together, guests, quiet, patient: patient.sort((a, b) => rankOf(a) - rankOf(b)), leftOut: [] };
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
	const { together, leftOut, ...laboratory } = choose(folders.flatMap(testFiles), quick, wanted);
	const flags = Object.entries(laboratory).flatMap(([kind, files]) => files.map((file) => `--${kind}=${file}`));
	if (together.length + flags.length === 0) {
		console.error("no test file fits");
		return 1;
	}
	for (const file of leftOut) console.log(`left out by --quick: ${file}`);
	process.chdir(root);
	if (!buildPage(runtime)) return 1;
	return runInPlace(runtime, [runner, ...flags, ...together]);
}

process.exitCode = await test(process.argv.slice(2));
