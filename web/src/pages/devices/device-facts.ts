/** What is said of a Pi in a line. */
import type { Device, RootMode } from "@pi-netboot/api";
import { isVirtual, modelText } from "../../words/models.ts";
import { rootModes } from "../../words/stages.ts";
import { type ImageNames, imageOf, nameOf } from "./image-names.ts";

const inLine = (parts: readonly (string | false | undefined)[]): string => parts.filter(Boolean).join(" · ");

const modeText = (mode: RootMode): string => rootModes[mode].name.toLowerCase();

/** `Pi 5 · 192.0.2.20 · 52 °C`, `Virtual Pi 4 · 127.0.0.9` */
export function factsText(device: Device): string {
	const { model, ip, agent } = device;
	const name = model === null ? "Model not known yet" : modelText(model);
	const temperature = agent?.online === true ? agent.inventory.temperature : 0;
	const degrees = temperature > 0 ? `${temperature.toFixed(0)} °C` : undefined;
	return inLine([isVirtual(device) ? `Virtual ${name}` : name, ip ?? undefined, degrees]);
}

/** `raspios.img · keep changes`, and what it boots next where that was changed since. */
export function systemText(device: Device, names: ImageNames): string {
	const next = { image: imageOf(device, names), mode: modeText(device.rootMode) };
	if (device.boot === null) return inLine([next.image, next.mode]);
	const now = { image: nameOf(device.boot.imageId, names), mode: modeText(device.boot.rootMode) };
	const changed = [next.image !== now.image && next.image, next.mode !== now.mode && next.mode];
	const then = inLine(changed);
	return inLine([now.image, now.mode]) + (then === "" ? "" : `. Next boot: ${then}`);
}

/** `7bf18f79 · 5 boots` */
export function identityText({ id, bootCount }: Device): string {
	return inLine([id, bootCount === 1 ? "1 boot" : `${bootCount} boots`]);
}
