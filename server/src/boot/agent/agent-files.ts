/** The agent as it lies in this installation. */
import { readFileSync } from "node:fs";

export const AGENT_SOURCES: URL = new URL("../../../../agent/", import.meta.url);

/** Where it is on every Pi. */
export const AGENT_FOLDER = "/opt/netboot-imager";
export const AGENT_PROGRAM = "netboot-imager-service.py";
export const AGENT_UNIT = "netboot-imager.service";

/** What an init system runs. */
export const AGENT_COMMAND = `/usr/bin/python3 -u ${AGENT_FOLDER}/${AGENT_PROGRAM}`;

/** Read at the start: what Pis get fits to the server that they get it from. */
export const agentProgram: Buffer = readFileSync(new URL(AGENT_PROGRAM, AGENT_SOURCES));
export const agentUnit: string = readFileSync(new URL(AGENT_UNIT, AGENT_SOURCES), "utf8");
