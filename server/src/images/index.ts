export { inspectImage } from "./inspect.ts";
export { type BootFiles, type EffectiveConfig, effectiveConfig, initramfsName } from "./inspect-config-txt.ts";
export type * from "./inspect-facts.ts";
export { bootFiles } from "./inspect-looks.ts";
export { BOOT_MODELS, type BootModel, bootModel } from "./inspect-models.ts";
export { ifupdownInterfaces } from "./inspect-network.ts";
export { parsePasswd } from "./inspect-os.ts";
export { findShippedUnit, findUnit, hasUnit, isUnitEnabled, isUnitMasked } from "./inspect-systemd.ts";
