/** What is stored of the devices, taken up again at the start. */
import type { DeviceRow, Store } from "../store/index.ts";
import { type AddressBook, isAddressSource } from "./addresses.ts";
import { fromRow } from "./device.ts";
import type { DeviceDirectory } from "./directory.ts";
import { attemptsOf, historyOf, standingDiagnoses } from "./history.ts";
import type { ProgressBook } from "./progress.ts";
import type { Roster } from "./roster.ts";

/** Where devices are kept in memory. */
export interface DevicePlaces {
	readonly directory: DeviceDirectory;
	readonly roster: Roster;
	readonly addresses: AddressBook;
}

export async function loadDevices({ devices }: Pick<Store, "devices">, places: DevicePlaces): Promise<void> {
	const ids = Map.groupBy(await devices.ids(), ({ deviceKey }) => deviceKey);
	for (const row of await devices.list()) load(row, ids.get(row.key)?.map(({ id }) => id) ?? [], places);
}

function load(row: DeviceRow, ids: readonly string[], { directory, roster, addresses }: DevicePlaces): void {
	const device = fromRow(row, ids);
	directory.add(device);
	roster.update(device);
	const { address, addressSource, addressAt } = row;
	if (address === null || addressAt === null || !isAddressSource(addressSource)) return;
	addresses.bind(device.key, address, addressSource, addressAt);
}

/** How far each was in its last boot, what is wrong with it, and the power-ons before. */
export async function restoreProgress(store: Store, directory: DeviceDirectory, progress: ProgressBook): Promise<void> {
	const wrong = await standingDiagnoses(store);
	for (const device of directory.values()) {
		const [boot] = await historyOf(store, device.key, 1);
		const attempts = await attemptsOf(store, device.key);
		progress.restore(device, { boot, attempts, diagnosis: wrong.get(device.key) });
	}
}
