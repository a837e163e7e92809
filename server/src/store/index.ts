export type { BootChanges, BootRepository, BootRow, NewBootRow, StageTime } from "./boots.ts";
export type { DeviceRepository, DeviceRow, DeviceRowChanges, NewDeviceRow } from "./devices.ts";
export type { ImageRepository, ImageRow } from "./images.ts";
export type { LayerRepository, LayerRow, NewLayerRow } from "./layers.ts";
export type { LeaseRepository, LeaseRow, NewLeaseRow } from "./leases.ts";
export { loadSecrets, type Secrets, writeSecretFile } from "./secrets.ts";
export type { SettingChanges, SettingKey, SettingRepository, SettingValues } from "./settings.ts";
export type { NewSnapshotRow, SnapshotRepository, SnapshotRow } from "./snapshots.ts";
export { openStore, type Repositories, type Store } from "./store.ts";
