/** Which Pis are shown, in which order. */
import type { Device, Write } from "@pi-netboot/api";
import { modelText } from "../../words/models.ts";
import { type Status, type StatusKind, statusOf } from "../../words/status.ts";
import { isOver } from "../../words/writes.ts";
import { systemText } from "./device-facts.ts";
import type { ImageNames } from "./image-names.ts";

export interface DeviceFilter {
	readonly text: string;
	readonly kind: StatusKind | "all";
}

export interface ShownDevice {
	readonly device: Device;
	readonly status: Status;
}

const kinds: readonly StatusKind[] = ["trouble", "writing", "starting", "running", "quiet"];

const words: Readonly<Record<StatusKind, string>> = {
	trouble: "need help",
	writing: "writing",
	starting: "starting",
	running: "running",
	quiet: "quiet",
};

/** `pi-2` and `pi-02` before `pi-10`; names made of a serial, like `pi-001f`, are left as they are. */
const sortKey = (name: string): string =>
	name.replace(/(?<![a-z0-9])\d{1,3}(?![a-z0-9])/g, (number) => number.padStart(4, "0"));

/** Those that need a person first, then by name, so that none jumps about while it boots. */
export function withStatus(devices: readonly Device[], now: number, writes: readonly Write[] = []): ShownDevice[] {
	const open = new Map(writes.filter((write) => !isOver(write)).map((write) => [write.deviceId, write]));
	const all = devices.map((device) => {
		const status = statusOf(device, now, open.get(device.id));
		const key = `${status.kind === "trouble" ? 0 : 1} ${sortKey(device.name)}`;
		return { key, shown: { device, status } };
	});
	// The keys are made once: the order is found anew at each of the many changes of a crowd that boots.
	all.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
	return all.map(({ shown }) => shown);
}

export function filterDevices(
	all: readonly ShownDevice[],
	{ text, kind }: DeviceFilter,
	names: ImageNames,
): readonly ShownDevice[] {
	const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
	return all.filter(({ device, status }) => {
		if (kind !== "all" && status.kind !== kind) return false;
		if (wanted.length === 0) return true;
		const hay = searchable(device, names);
		return wanted.every((word) => hay.includes(word));
	});
}

function searchable(device: Device, names: ImageNames): string {
	const { id, name, mac, ip, model, modelName, tags } = device;
	const short = model === null ? "" : modelText(model);
	return [id, name, mac, ip, short, modelName, systemText(device, names), ...tags].join(" ").toLowerCase();
}

export function countOf(all: readonly ShownDevice[], kind: StatusKind): number {
	return all.filter(({ status }) => status.kind === kind).length;
}

/** What is read out when it changes: `1 Pi needs help`. That others boot is no news to interrupt somebody for. */
export function helpText(all: readonly ShownDevice[]): string {
	const count = countOf(all, "trouble");
	if (count === 0) return "";
	return count === 1 ? "1 Pi needs help" : `${count} Pis need help`;
}

/** `12 Pis: 1 needs help, 2 starting, 9 running` */
export function countsText(all: readonly ShownDevice[]): string {
	const total = all.length === 1 ? "1 Pi" : `${all.length} Pis`;
	const parts = kinds.map((kind) => ({ kind, count: countOf(all, kind) })).filter(({ count }) => count > 0);
	if (parts.length === 0) return total;
	const say = ({ kind, count }: { kind: StatusKind; count: number }) =>
		`${count} ${kind === "trouble" && count === 1 ? "needs help" : words[kind]}`;
	return `${total}: ${parts.map(say).join(", ")}`;
}
