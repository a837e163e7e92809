/** The script that puts the agent on a Pi that was booted by other means. It holds no secret. */
import { readFileSync } from "node:fs";
import { AGENT_SOURCES, agentProgram, agentUnit } from "./agent-files.ts";

const TEMPLATE = readFileSync(new URL("install.sh", AGENT_SOURCES), "utf8");

/** @param server `http://HOST:PORT`, as who asks reaches us; a checked one, since it stands in a shell's script. */
export function installScript(server: string): string {
	const parts: Readonly<Record<string, string>> = {
		"@SERVER@": server,
		"@PROGRAM@": agentProgram.toString("utf8").trimEnd(),
		"@UNIT@": agentUnit.trimEnd(),
	};
	return TEMPLATE.replace(/@[A-Z]+@/g, (name) => parts[name] ?? name);
}
