export { AccessBook } from "./access-book.ts";
export { AllowedHosts } from "./allowed-hosts.ts";
export * from "./errors.ts";
export * from "./event-hub.ts";
export * from "./http-server.ts";
export * from "./log-ring.ts";
export type * from "./services.ts";
