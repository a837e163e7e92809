/** What is said of a Pi in a line. */
import type { Device } from "@pi-netboot/api";
import { isVirtual, modelText } from "../../words/models.ts";
import { rootModes } from "../../words/stages.ts";

const inLine = (parts: readonly (string | undefined)[]): string =>
	parts.filter((part) => part !== undefined).join(" · ");

/** `Pi 5 · 192.0.2.20 · 52 °C`, `Virtual Pi 4 · 127.0.0.9` */
export function factsText(device: Device): string {
	const { model, ip, agent } = device;
	const name = model === null ? "Model not known yet" : modelText(model);
	const temperature = agent?.online === true ? agent.inventory.temperature : 0;
	const degrees = temperature > 0 ? `${temperature.toFixed(0)} °C` : undefined;
	return inLine([isVirtual(device) ? `Virtual ${name}` : name, ip ?? undefined, degrees]);
}

/** `raspios.img · keep changes` */
export function systemText({ rootMode }: Device, image: string): string {
	return inLine([image, rootModes[rootMode].name.toLowerCase()]);
}

/** `7bf18f79 · 5 boots` */
export function identityText({ id, bootCount }: Device): string {
	return inLine([id, bootCount === 1 ? "1 boot" : `${bootCount} boots`]);
}
