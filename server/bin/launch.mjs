/**
 * Finds the runtime that the project brings and starts programs with it. Runs under whatever Node is installed (18 or
 * newer): plain JavaScript, nothing imported that needs installing.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The first Node that runs TypeScript as it is and has `node:sqlite` without a flag. */
export const neededNode = 24;

/**
 * Keeps small what was thrown away and not collected yet: by default V8 lets it grow by tens of megabytes, for which a NAS
 * or a Pi has better use.
 */
export const runtimeFlags = ["--max-semi-space-size=4"];

/**
 * Where Node keeps compiled code, so that the second start neither reads TypeScript nor holds the compiler in memory.
 * @returns {string}
 */
export function compileCache() {
	return join(dirname(findRuntime() ?? fileURLToPath(import.meta.url)), "..", ".cache", "pi-netboot");
}

/** The runtime in the nearest `node_modules`, from this file upwards. @returns {string | undefined} */
export function findRuntime() {
	const name = join("node_modules", ".bin", "node");
	for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
		if (existsSync(join(folder, name))) return join(folder, name);
		if (folder === dirname(folder)) return undefined;
	}
}

/** @returns {boolean} whether the Node that runs this is new enough by itself. */
export function isNewEnough() {
	return Number(process.versions.node.split(".")[0]) >= neededNode;
}

/** Says what to do when there is no runtime to be found. */
export function explainMissingRuntime() {
	console.error(`pi-netboot: this is Node ${process.version}; Node ${neededNode} or newer is needed.`);
	console.error("Run `npm install` in the project: it brings one. Or install a newer Node.");
}

/**
 * Runs a program to its end in place of this process: same input and output, signals passed on, same exit code.
 *
 * @param {string} program
 * @param {string[]} args
 * @returns {Promise<number>} the exit code, 128 + the signal's number after a signal, as shells have it.
 */
export function runInPlace(program, args) {
	return new Promise((resolve) => {
		const env = { NODE_COMPILE_CACHE: compileCache(), ...process.env };
		// Before the child begins: it may say that it runs, and be told to stop, before we come to the next line.
		for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
		const child = spawn(program, args, { stdio: "inherit", env });
		child.on("error", (error) => {
			console.error(`pi-netboot: ${program} does not start: ${error.message}`);
			resolve(1);
		});
		child.on("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
	});
}
