/** The patches that make a stock image run from the network without changing it. */
export type { DeviceIdentity, PatchInput, RegionSettings, RootMode } from "./input.ts";
export { type OpenSshKey, openSshKey } from "./openssh-key.ts";
export { patchesFor } from "./patches.ts";
export { type PreparedSettings, preparedSettings } from "./prepared.ts";
export { regionGaps } from "./region.ts";
