/** What a person should know of an image, in lines. */
import type { Finding, Image } from "@pi-netboot/api";
import { printable } from "./terminal.ts";

export function findingLines({ id, findings }: Image): string[] {
	return findings
		.filter(isSerious)
		.map(
			({ severity, message, fix }) => `${id}: ${severity}: ${printable([message, fix].filter(Boolean).join(" "))}\n`,
		);
}

/** It keeps a Pi from something. */
export function isSerious({ severity }: Finding): boolean {
	return severity !== "info";
}
