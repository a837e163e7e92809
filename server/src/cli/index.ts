export * from "./program.ts";
export type { RunningServer, RunServer } from "./serve.ts";
export { processTerminal, type Terminal } from "./terminal.ts";
