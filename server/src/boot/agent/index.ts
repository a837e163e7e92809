/** The agent that writes disks, on its way onto the Pi. */
export { agentConfig, type ImagerSettings } from "./agent-config.ts";
export { AGENT_COMMAND, AGENT_FOLDER, AGENT_UNIT, agentProgram, agentUnit } from "./agent-files.ts";
export { findAgentPoint } from "./agent-point.ts";
export { AGENT_FSID, type AgentPlace, AgentVolume } from "./agent-volume.ts";
export { installScript } from "./install-script.ts";
