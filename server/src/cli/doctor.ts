/** `pi-netboot doctor`: what of this machine is ready to boot Pis, and what to do about the rest. */
import type { Command } from "commander";
import { loadConfig } from "../config.ts";
import { exitCodes } from "./command-error.ts";
import { examine } from "./examination.ts";
import type { Finding } from "./finding.ts";
import { addSettingFlags } from "./setting-flags.ts";
import { json, type Terminal } from "./terminal.ts";

interface DoctorFlags {
	readonly json?: true;
	/** commander's name for `--no-lan`. */
	readonly lan: boolean;
}

export function addDoctor(program: Command, terminal: Terminal, setExitCode: (code: number) => void): void {
	const command = program.command("doctor");
	addSettingFlags(command)
		.description("say what of this machine is ready to boot Pis, and what to do about the rest")
		.option("--no-lan", "do not ask the network for its DHCP servers")
		.option("--json", "as JSON")
		.action(async (flags: DoctorFlags & Record<string, unknown>) => {
			const findings = await examine(loadConfig(flags, terminal.env), { askLan: flags.lan });
			terminal.out(flags.json ? json({ findings }) : findings.map(findingText).join(""));
			if (findings.some((finding) => finding.verdict === "bad")) setExitCode(exitCodes.failed);
		});
}

const marks = { good: "ok  ", note: "note", bad: "BAD " } as const;

function findingText({ verdict, subject, message, commands }: Finding): string {
	const fixes = commands.map((command, index) => `                  ${index === 0 ? "fix:" : " or:"} ${command}\n`);
	return `${marks[verdict]}  ${subject.padEnd(10)}  ${message}\n${fixes.join("")}`;
}
