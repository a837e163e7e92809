/** The Raspberry Pis: who they are, what they are set to, how far their boots come. */
export type { AddressBinding, AddressSource } from "./addresses.ts";
export * from "./board.ts";
export type { BegunBoot, Boot, BootPlan, LayerMaker } from "./boots.ts";
export type { Bystander } from "./bystanders.ts";
export type { DeviceChanges } from "./changes.ts";
export {
	type Customisation,
	type CustomisationChanges,
	changedCustomisation,
	mergedCustomisation,
} from "./customisation.ts";
export { type Device, INTENTS, type Intent, ROOT_MODES, type RootMode } from "./device.ts";
export { DeviceError } from "./errors.ts";
export { type Fact, STAGES, type Stage, type TransferOutcome } from "./facts.ts";
export type { BootHistory, PastDiagnosis } from "./history.ts";
export { type BootName, splitBootName } from "./identity.ts";
export type { SshHostKeys } from "./keys.ts";
export type { ReachedStage } from "./progress.ts";
export type { BootFileOwner, BootFileSighting, FirmwareSighting } from "./recogniser.ts";
export { type DeviceEvent, DeviceRegistry, type RegistryOptions } from "./registry.ts";
export type { Diagnosis, Surroundings } from "./scene.ts";
export { hashPassword } from "./sha512-crypt.ts";
export type { BootAttempt } from "./stages.ts";
