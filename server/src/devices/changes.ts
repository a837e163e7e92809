/** What a person may change of a device, and the sentences for what they may not. */

import { type CustomisationChanges, changedCustomisation } from "./customisation.ts";
import { type DeviceState, INTENTS, type Intent, ROOT_MODES, type RootMode } from "./device.ts";
import { DeviceError } from "./errors.ts";
import { checkedName } from "./names.ts";

/** What is left out stays. */
export interface DeviceChanges {
	readonly name?: string | undefined;
	/** null = the default image. */
	readonly imageId?: string | null | undefined;
	/** null = the default mode. */
	readonly rootMode?: RootMode | null | undefined;
	readonly intent?: Intent | undefined;
	/** The disk for the intent `write-then-disk`. */
	readonly writeTarget?: string | undefined;
	/** null = the default quota, 0 = no limit. */
	readonly quotaBytes?: number | null | undefined;
	readonly customisation?: CustomisationChanges | undefined;
	readonly tags?: readonly string[] | undefined;
}

/** What the check needs to know of the rest. */
export interface ChangeContext {
	/** Who has this name. */
	byName(name: string): DeviceState | undefined;
	imageExists(id: string): boolean;
}

type Checked = Partial<
	Pick<
		DeviceState,
		"name" | "imageId" | "rootMode" | "intent" | "writeTarget" | "quotaBytes" | "customisation" | "tags"
	>
>;

const TAG = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,31}$/u;
const MOST_TAGS = 16;

const WHOLE_DISK = /^\/dev\/[a-z0-9]{1,59}$/;
const DISK_HINT = "Say which: /dev/mmcblk0 is the SD card, /dev/nvme0n1 the first NVMe disk, /dev/sda one on USB.";

/**
 * Checks changes, all of them before any takes effect.
 *
 * @returns the fields to set.
 * @throws DeviceError `invalid-request`, `name-taken`, `image-not-found`, `conflict`.
 */
export function checkedChanges(device: DeviceState, changes: DeviceChanges, context: ChangeContext): Checked {
	const { imageId, rootMode, quotaBytes, customisation, tags } = changes;
	const checked: Checked = {};
	if (changes.name !== undefined) checked.name = freeName(device, changes.name, context);
	if (imageId !== undefined) {
		if (imageId !== null && !context.imageExists(imageId)) {
			throw new DeviceError("image-not-found", `There is no image "${imageId}"`);
		}
		checked.imageId = imageId;
	}
	if (rootMode !== undefined) checked.rootMode = rootMode === null ? null : oneOf(ROOT_MODES, rootMode, "root mode");
	Object.assign(checked, checkedIntent(device, changes));
	if (quotaBytes !== undefined) checked.quotaBytes = quotaBytes === null ? null : checkedBytes(quotaBytes);
	if (customisation !== undefined) checked.customisation = changedCustomisation(device.customisation, customisation);
	if (tags !== undefined) checked.tags = checkedTags(tags);
	return checked;
}

/** Each once, in their order. They are stored between commas, so none holds one. */
function checkedTags(tags: readonly string[]): string[] {
	const wrong = tags.find((tag) => !TAG.test(tag));
	if (wrong !== undefined) {
		throw new DeviceError("invalid-request", `"${wrong}" is no tag: expected up to 32 letters, digits and . _ -`);
	}
	if (tags.length <= MOST_TAGS) return [...new Set(tags)].sort();
	throw new DeviceError("invalid-request", `${tags.length} tags are too many: expected ${MOST_TAGS} at most`);
}

function checkedBytes(bytes: number): number {
	if (Number.isSafeInteger(bytes) && bytes >= 0) return bytes;
	throw new DeviceError("invalid-request", `${bytes} is no quota: expected whole bytes, 0 for no limit`);
}

/** The disk belongs to the one intent that writes it: every other one forgets it. */
function checkedIntent(device: DeviceState, { intent, writeTarget }: DeviceChanges): Checked {
	const next = oneOf(INTENTS, intent ?? device.intent, "intent");
	if (next !== "write-then-disk") {
		if (writeTarget === undefined) return intent === undefined ? {} : { intent: next, writeTarget: null };
		throw new DeviceError("invalid-request", `A disk to write goes with the intent write-then-disk, not with ${next}`);
	}
	const target = writeTarget ?? device.writeTarget;
	if (target !== null && WHOLE_DISK.test(target)) return { intent: next, writeTarget: target };
	throw new DeviceError("invalid-request", `write-then-disk needs a disk to write, got ${target ?? "none"}`, DISK_HINT);
}

function freeName(device: DeviceState, wanted: string, context: ChangeContext): string {
	const name = checkedName(wanted);
	const holder = context.byName(name);
	if (holder === undefined || holder === device) return name;
	throw new DeviceError("name-taken", `"${name}" is the name of ${holder.id} already`, "Choose another name.");
}

/** The value, when it is one of those that the type promises: it may come from outside. */
function oneOf<T extends string>(values: readonly T[], value: T, what: string): T {
	if (values.includes(value)) return value;
	throw new DeviceError("invalid-request", `"${value}" is no ${what}: expected ${values.join(", ")}`);
}
