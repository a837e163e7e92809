/**
 * Virtual Raspberry Pis: they ask for an address, fetch their files and mount their root as real ones do. None of the server's
 * code is in here.
 */
export { type Identity, type Model, shortSerial } from "./board.ts";
export { BootError, ProtocolError } from "./errors.ts";
export { readSettings, readSystem, type SettingFlags } from "./flags.ts";
export { type Member, makeFleet, makeIdentity, runSimulation, type SimulationOptions, toJson } from "./fleet.ts";
export { LoopbackNetwork, type LoopbackOptions } from "./loopback.ts";
export { chooseModels, findModel, modelNames, models, needModel } from "./models/index.ts";
export { type DhcpPort, type Lease, type Network, type ServerPorts, STANDARD_PORTS } from "./network.ts";
export { type BootOptions, type BootTiming, bootPi, REAL_TIMING } from "./pi.ts";
export { type Play, playList, readPlay } from "./plays.ts";
export type { BootReport, BootStep, OsRelease } from "./report.ts";
export type { EepromSettings } from "./settings.ts";
export { WiredNetwork, type WiredOptions } from "./wired.ts";
