/** Running the real tools that make the fixtures and tell the truth about them. */
import { spawnSync } from "node:child_process";

/** Fixed times and identities make the fixtures the same in every run. */
const ENVIRONMENT = {
	...process.env,
	PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin`,
	E2FSPROGS_FAKE_TIME: "1700000000",
	SOURCE_DATE_EPOCH: "1700000000",
	MTOOLS_SKIP_CHECK: "1",
	LC_ALL: "C.UTF-8",
	TZ: "UTC",
};

/**
 * Runs a program and gives what it wrote to standard output.
 *
 * @param accepted exit codes that are no failure.
 * @throws Error with what it wrote to standard error, when it fails.
 */
export function runTool(program: string, args: readonly string[], input?: string, accepted = [0]): Buffer {
	const result = spawnSync(program, args, { input, env: ENVIRONMENT, maxBuffer: 256 * 1024 * 1024 });
	// A program that ends without having read its input is not wrong for that.
	if (result.error !== undefined && !("code" in result.error && result.error.code === "EPIPE")) throw result.error;
	if (result.status === null || !accepted.includes(result.status)) {
		throw new Error(`${program} ${args.join(" ")} exits with ${result.status}: ${result.stderr.toString()}`);
	}
	return result.stdout;
}
