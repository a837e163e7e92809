/** DHCP (RFC 2131, 2132, 3396, 4578): codec, recognition of Raspberry Pis, and the answers of a proxy. Pure. */
export * from "./addresses.ts";
export * from "./classify.ts";
export * from "./constants.ts";
export * from "./describe.ts";
export * from "./fingerprint.ts";
export * from "./full.ts";
export { decodeGuid, type Guid, serialText } from "./guid.ts";
export * from "./lan-probe.ts";
export type { DhcpOptions } from "./options.ts";
export * from "./packet.ts";
export * from "./proxy.ts";
export { bootMenu, MASK_ROM_BOOT_MENU_TEXT, PI_BOOT_MENU_TEXT } from "./pxe.ts";
export * from "./request-state.ts";
