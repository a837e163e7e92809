/** What a device gets: joins the wire to devices, images and trees. */
export { type AgentPlace, agentConfig, agentProgram, type ImagerSettings, installScript } from "./agent/index.ts";
export { BootQueue } from "./boot-queue.ts";
export { type BootImage, type BootImages, type Choice, chooseBoot } from "./catalogue.ts";
export { DhcpAnswers, type DhcpAnswersOptions } from "./dhcp-answers.ts";
export { FirmwareLoad } from "./firmware-load.ts";
export type { Lease, LeaseState } from "./leases/lease-book.ts";
export {
	type DhcpPlace,
	type DhcpSettings,
	type DhcpSubnet,
	PROXY_ONLY,
	planSubnets,
	type RangeWish,
} from "./leases/settings.ts";
export { systemWire } from "./leases/system-wire.ts";
export { type AuthorizedKeys, parseAuthorizedKeys } from "./login.ts";
export { Netconsole } from "./netconsole.ts";
export { NfsExports, type NfsExportsOptions } from "./nfs-exports.ts";
export type { RootChanges, RootUse } from "./root-care.ts";
export { RootKeeper } from "./root-keeper.ts";
export type { RootKeeperOptions } from "./root-opener.ts";
export type { Snapshot } from "./snapshots.ts";
export { TftpFiles, type TftpFilesOptions } from "./tftp-files.ts";
