export * from "./bytes.ts";
export * from "./clock.ts";
export * from "./errors.ts";
export * from "./fault.ts";
export * from "./files.ts";
export * from "./lifecycle.ts";
export * from "./log.ts";
export * from "./shell.ts";
