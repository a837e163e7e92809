/** A device as this room keeps it, and as the others see it. */
import type { DeviceRow, NewDeviceRow } from "../store/index.ts";
import { isModelId, type ModelId } from "./board.ts";
import { type Customisation, customisationFrom, customisationText } from "./customisation.ts";

export const ROOT_MODES = ["persistent", "ephemeral", "read-only"] as const;
/** What becomes of a Pi's changes: kept, dropped at each boot, or refused. */
export type RootMode = (typeof ROOT_MODES)[number];

export const INTENTS = ["netboot", "disk", "write-then-disk", "ignore"] as const;
/** What the next power-on shall do. */
export type Intent = (typeof INTENTS)[number];

/** How sure we are of something that a device says of itself; the surer source wins. */
export const MODEL_SOURCE = { none: 0, guess: 1, deviceTree: 2, revision: 3 } as const;
export const SERIAL_SOURCE = { none: 0, tftp: 1, dhcp: 2, agent: 3 } as const;

/**
 * A device, live: its values change as more becomes known. Only this room changes it.
 */
export interface Device {
	/** Internal, never used again for another device. */
	readonly key: number;
	/** The low 32 bits of the serial as 8 hex digits, or the MAC without colons. */
	readonly id: string;
	/** `dc:a6:32:ec:fc:3c`. */
	readonly mac: string;
	/** The low 32 bits, 8 hex digits. */
	readonly serial: string | null;
	/** The board revision code. */
	readonly revision: number | null;
	readonly model: ModelId | null;
	/** The host name. */
	readonly name: string;
	/** null = the default image. */
	readonly imageId: string | null;
	/** null = the default mode. */
	readonly rootMode: RootMode | null;
	readonly intent: Intent;
	/** The disk that `write-then-disk` writes, like `/dev/mmcblk0`. */
	readonly writeTarget: string | null;
	/** The layer is to be dropped at the next boot. */
	readonly rootReset: boolean;
	/** Bytes that its root may hold; null = the default quota, 0 = no limit. */
	readonly quotaBytes: number | null;
	readonly customisation: Customisation;
	/** Words that people sort their devices by, in their order. */
	readonly tags: readonly string[];
	readonly bootCount: number;
	/** Milliseconds since 1970, as all times. */
	readonly lastBootAt: number | null;
	readonly lastSeenAt: number;
	readonly createdAt: number;
}

/** The same for those who may change it, with what nobody else needs. */
export type DeviceState = { -readonly [K in keyof Device]: Device[K] } & {
	serialSource: number;
	modelSource: number;
	/** It booted, or a person changed something: it is not forgotten to make room. */
	kept: boolean;
	machineId: string | null;
	/** JSON of `SshHostKeys`. */
	sshHostKeys: string | null;
	/** Every id that it had before. */
	readonly formerIds: string[];
};

/** What its row keeps of its newest address. */
export interface KnownAddress {
	readonly address: string;
	readonly source: string;
	readonly at: number;
}

/** The row to be stored. */
export function toRow(device: DeviceState, known: KnownAddress | undefined): NewDeviceRow {
	const { formerIds: _formerIds, kept, rootReset, customisation, tags, ...same } = device;
	return {
		...same,
		kept: kept ? 1 : 0,
		rootReset: rootReset ? 1 : 0,
		customisation: customisationText(customisation),
		tags: tags.join(","),
		address: known?.address ?? null,
		addressSource: known?.source ?? null,
		addressAt: known?.at ?? null,
	};
}

function oneOf<T extends string>(values: readonly T[], value: string | null): T | undefined {
	return values.find((candidate) => candidate === value);
}

/** A device out of its row; words that this version does not know become the defaults. */
export function fromRow(row: DeviceRow, ids: readonly string[]): DeviceState {
	const { address: _address, addressSource: _source, addressAt: _at, ...same } = row;
	return {
		...same,
		model: row.model !== null && isModelId(row.model) ? row.model : null,
		rootMode: oneOf(ROOT_MODES, row.rootMode) ?? null,
		intent: oneOf(INTENTS, row.intent) ?? "netboot",
		rootReset: row.rootReset !== 0,
		customisation: customisationFrom(row.customisation),
		tags: row.tags === "" ? [] : row.tags.split(","),
		kept: row.kept !== 0,
		formerIds: ids.filter((id) => id !== row.id),
	};
}

/** A device that was never seen before. */
export function newDevice(key: number, id: string, mac: string, name: string, now: number): DeviceState {
	return {
		key,
		id,
		mac,
		serial: null,
		serialSource: SERIAL_SOURCE.none,
		revision: null,
		model: null,
		modelSource: MODEL_SOURCE.none,
		name,
		imageId: null,
		rootMode: null,
		intent: "netboot",
		writeTarget: null,
		rootReset: false,
		quotaBytes: null,
		customisation: {},
		tags: [],
		bootCount: 0,
		lastBootAt: null,
		lastSeenAt: now,
		createdAt: now,
		kept: false,
		machineId: null,
		sshHostKeys: null,
		formerIds: [],
	};
}
