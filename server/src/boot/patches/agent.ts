/** The agent that writes disks: started in every root that has a Python for it. Its files are a volume of their own. */
import { hasUnit } from "../../images/index.ts";
import type { Patch } from "../../vfs/index.ts";
import { AGENT_COMMAND, AGENT_FOLDER, AGENT_UNIT, agentUnit } from "../agent/index.ts";
import { withEntry } from "./inittab.ts";
import type { PatchInput } from "./input.ts";
import { addDirectory, editFile, enableUnit, maskUnit, writeFile } from "./make.ts";

const WHY = "the agent writes images to this Pi's disks when you ask the server for it";
const UNIT_FILE = `/etc/systemd/system/${AGENT_UNIT}`;

/** Fetched the agent of the predecessor at each boot. */
const BOOTSTRAP = "netboot-bootstrap.service";

export function agentPatches({ root, facts }: PatchInput): Patch[] {
	if (!facts.python3) return [];
	const mountPoint = addDirectory(AGENT_FOLDER, WHY);
	if (facts.init !== "systemd") return [mountPoint, ofInittab()];
	const bootstrap = hasUnit(root, BOOTSTRAP) ? [maskUnit(BOOTSTRAP, "the agent is there already")] : [];
	const unit = writeFile(UNIT_FILE, WHY, agentUnit);
	return [mountPoint, unit, enableUnit(AGENT_UNIT, UNIT_FILE, "multi-user.target", WHY), ...bootstrap];
}

function ofInittab(): Patch {
	return editFile("/etc/inittab", WHY, (text) => withEntry(text, "ni", AGENT_COMMAND));
}
