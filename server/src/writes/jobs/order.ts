/** From a wish to a job: the checks before anything is begun, each with the sentence for what must not be. */
import { randomBytes } from "node:crypto";
import type { Device } from "../../devices/index.ts";
import type { AgentFacts } from "../agents/agent-book.ts";
import type { InventoryDisk } from "../agents/inventory.ts";
import { WriteError } from "../write-error.ts";
import { ended, NO_COUNTS, type VerifyMode, type WriteJob, type WriteTarget } from "./job.ts";
import { failureFrom } from "./words.ts";

/** The disk as the person confirmed it. */
export interface TargetWish {
	readonly path: string;
	readonly size?: number | undefined;
	readonly identity?: string | undefined;
}

export interface WriteOrder {
	/** Missing or null: the image that the device boots. */
	readonly imageId?: string | null | undefined;
	readonly target: TargetWish;
	readonly verify: VerifyMode;
}

/** An image that can be written. */
export interface WritableImage {
	readonly id: string;
	readonly name: string;
	/** Bytes. */
	readonly size: number;
}

export interface OrderParts {
	readonly device: Device;
	readonly image: WritableImage;
	readonly target: WriteTarget;
	readonly verify: VerifyMode;
	readonly origin: "person" | "intent";
	readonly now: number;
}

/** A job that nobody has begun. */
export function newJob({ device, image, target, verify, origin, now }: OrderParts): WriteJob {
	return {
		id: randomBytes(8).toString("hex"),
		deviceKey: device.key,
		deviceId: device.id,
		deviceName: device.name,
		imageId: image.id,
		imageName: image.name,
		buildId: null,
		map: null,
		dataBytes: 0,
		zeroBytes: 0,
		target,
		verify,
		origin,
		stage: "wiping",
		percent: 0,
		run: null,
		isCancelled: false,
		attempts: 0,
		counts: NO_COUNTS,
		durable: null,
		times: [],
		failure: null,
		createdAt: now,
		endedAt: null,
	};
}

/**
 * The write that the intent `write-then-disk` asks for; one that failed already where the disk must not be written.
 *
 * @throws WriteError `disks-unknown`.
 */
export function intendedJob(
	device: Device,
	image: WritableImage,
	facts: AgentFacts | undefined,
	path: string,
	now: number,
): WriteJob {
	const parts = { device, image, verify: "full", origin: "intent", now } as const;
	try {
		return newJob({ ...parts, target: confirmedTarget(facts, { path }, image) });
	} catch (error) {
		if (facts === undefined || !(error instanceof WriteError)) throw error;
		const target = { path, model: "", serial: "", size: 0, identity: "" };
		return ended(newJob({ ...parts, target }), "failed", now, failureFrom(error));
	}
}

/** The disk of a write that is begun again: the same, unless none was ever confirmed. @throws WriteError. */
export function retriedTarget({ target }: WriteJob, facts: AgentFacts | undefined, image: WritableImage): WriteTarget {
	if (target.size === 0) return confirmedTarget(facts, { path: target.path }, image);
	checkSize(target, image);
	return target;
}

/**
 * The disk that is meant, as the agent described it.
 *
 * @throws WriteError `disks-unknown`, `disk-not-found`, `disk-refused`.
 */
export function confirmedTarget(facts: AgentFacts | undefined, wish: TargetWish, image: WritableImage): WriteTarget {
	if (facts === undefined) {
		const hint = "Boot the Pi from the network first; its agent tells which disks it has.";
		throw new WriteError("disks-unknown", "Nothing is known of the disks of this Pi yet.", hint);
	}
	const { disks } = facts.inventory;
	const disk = disks.find(({ path }) => path === wish.path);
	if (disk === undefined) {
		const names = disks.map(({ path }) => path).join(", ");
		const hint = names === "" ? "It has none. Is the card in its slot?" : `It has ${names}.`;
		throw new WriteError("disk-not-found", `This Pi has no disk ${wish.path}.`, hint);
	}
	checkDisk(disk, wish, image);
	const { path, model, serial, size, identity } = disk;
	return { path, model, serial, size, identity };
}

function checkDisk(disk: InventoryDisk, wish: TargetWish, image: WritableImage): void {
	const isOther =
		(wish.size !== undefined && wish.size !== disk.size) ||
		(wish.identity !== undefined && wish.identity !== disk.identity);
	if (isOther) {
		const hint = "Look at the disks of the device once more.";
		throw new WriteError("disk-refused", `${disk.path} is another disk than the one that was confirmed.`, hint);
	}
	if (disk.use !== null) throw new WriteError("disk-refused", disk.use.message);
	if (disk.readOnly) {
		throw new WriteError("disk-refused", `${disk.path} is read-only.`, "Has the card a write-protect switch?");
	}
	checkSize(disk, image);
}

/** @throws WriteError `disk-refused`. */
export function checkSize(disk: Pick<WriteTarget, "path" | "size">, image: WritableImage): void {
	if (disk.size >= image.size) return;
	const message = `${disk.path} has ${disk.size} bytes, and ${image.name} needs ${image.size}.`;
	throw new WriteError("disk-refused", message, "Take a larger disk or a smaller image.");
}
