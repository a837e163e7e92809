/** The patches that make a stock image run from the network without changing it. */
export type { DeviceIdentity, PatchInput, RootMode } from "./input.ts";
export { type OpenSshKey, openSshKey } from "./openssh-key.ts";
export { patchesFor } from "./patches.ts";
