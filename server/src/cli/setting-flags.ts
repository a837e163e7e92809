/** The flags of the commands that take the server's settings. */
import type { Command } from "commander";
import { settings } from "../config.ts";

export function addSettingFlags(command: Command): Command {
	for (const [key, setting] of Object.entries<{
		flag: string;
		env: string | readonly string[];
		help: string;
		fallback?: string;
	}>(settings)) {
		const variables = [setting.env].flat().join(", ");
		const preset = setting.fallback ? ` (default: ${setting.fallback})` : "";
		const option = command.createOption(setting.flag, `${setting.help}${preset} [${variables}]`);
		// commander would name the value after the flag; the settings have names of their own.
		option.attributeName = () => key;
		command.addOption(option);
	}
	return command;
}
