/** Rows for tests. */
import type { NewBootRow } from "../boots.ts";
import type { NewDeviceRow } from "../devices.ts";

/** A device's row that differs from others by its key alone. */
export function deviceRow(key: number, changes: Partial<NewDeviceRow> = {}): NewDeviceRow {
	const digits = key.toString(16).padStart(8, "0");
	const mac = `dc:a6:${digits.replaceAll(/(..)(?=.)/g, "$1:")}`;
	return {
		key,
		id: digits,
		mac,
		serial: digits,
		serialSource: 2,
		revision: 0xc03112,
		model: "pi4",
		modelSource: 3,
		name: `raspberrypi-${digits}`,
		imageId: null,
		rootMode: null,
		intent: "netboot",
		rootReset: 0,
		quotaBytes: null,
		customisation: null,
		bootCount: 0,
		lastBootAt: null,
		lastSeenAt: 1,
		kept: 0,
		address: null,
		addressSource: null,
		addressAt: null,
		machineId: null,
		sshHostKeys: null,
		writeTarget: null,
		tags: "",
		createdAt: 1,
		...changes,
	};
}

export function bootRow(deviceKey: number, id: string, changes: Partial<NewBootRow> = {}): NewBootRow {
	return {
		id,
		deviceKey,
		imageId: "debian",
		buildId: "b1",
		layerId: null,
		exportToken: `token-${id}`,
		server: "192.0.2.1",
		secret: "s",
		mode: "persistent",
		startedAt: 1,
		mountedAt: null,
		endedAt: null,
		...changes,
	};
}
