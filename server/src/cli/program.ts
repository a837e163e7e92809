/** The program `pi-netboot` with its commands. */
import { Command, CommanderError } from "commander";
import { errorText, isNetbootError } from "../base/index.ts";
import { ConfigError } from "../config.ts";
import { readVersion } from "../version.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import { addDevices } from "./devices.ts";
import { addDoctor } from "./doctor.ts";
import { addHosts } from "./hosts.ts";
import { addImages } from "./images.ts";
import { addLogin } from "./login.ts";
import { addPassword } from "./password.ts";
import { addServe, type RunServer } from "./serve.ts";
import { addSimulate } from "./simulate.ts";
import { processTerminal, type Terminal } from "./terminal.ts";
import { addTokens } from "./tokens.ts";
import { addVersion } from "./version.ts";
import { addWrite } from "./write.ts";

/**
 * Runs one command to its end.
 *
 * @param args without the program's name.
 * @returns the exit code: 0 ok, 1 failed, 2 wrong usage, 3 no server reachable.
 */
export async function runCli(
	args: readonly string[],
	runServer: RunServer,
	terminal = processTerminal,
): Promise<number> {
	let exitCode: number = exitCodes.ok;
	const program = createProgram(terminal, runServer, (code) => {
		exitCode = code;
	});
	try {
		refuseUnknown(program, args[0]);
		await program.parseAsync([...args], { from: "user" });
		return exitCode;
	} catch (error) {
		return report(error, terminal);
	}
}

function createProgram(terminal: Terminal, runServer: RunServer, setExitCode: (code: number) => void): Command {
	const program = new Command("pi-netboot")
		.description("Network boot for Raspberry Pi: serves images straight out of their .img files")
		.version(readVersion(), "-V, --version", "print the version")
		.helpOption("-h, --help", "print this help")
		.helpCommand(false)
		.showHelpAfterError("(--help lists what there is)")
		.configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
		.exitOverride()
		.addHelpText("after", "\nExit codes: 0 ok, 1 failed, 2 wrong usage, 3 no server reachable.");
	addServe(program, terminal, runServer);
	addImages(program, terminal);
	addDevices(program, terminal);
	addWrite(program, terminal);
	addLogin(program, terminal);
	addPassword(program, terminal);
	addTokens(program, terminal);
	addHosts(program, terminal);
	addSimulate(program, terminal, setExitCode);
	addDoctor(program, terminal, setExitCode);
	addVersion(program, terminal);
	return program;
}

/** Otherwise commander would take it for an argument of the default command. */
function refuseUnknown(program: Command, name = "-"): void {
	if (name.startsWith("-") || program.commands.some((command) => command.name() === name)) return;
	program.error(`error: unknown command '${name}'`);
}

/** commander has printed its own errors already, and throws also after `--help`. */
function report(error: unknown, terminal: Terminal): number {
	if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
	terminal.err(`pi-netboot: ${textOf(error)}\n`);
	if (isNetbootError(error) && error.hint !== undefined) terminal.err(`${error.hint}\n`);
	if (error instanceof CommandError) return error.exitCode;
	return error instanceof ConfigError ? exitCodes.usage : exitCodes.failed;
}

/** For a fault of ours, where it happened. What the system refuses says by itself what and why. */
function textOf(error: unknown): string {
	if (isNetbootError(error) || !(error instanceof Error) || "syscall" in error) return errorText(error);
	return error.stack ?? error.message;
}
