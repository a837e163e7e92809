import type { Device } from "@pi-netboot/api";

/** `pi3bp` -> `Pi 3 B+`, `cm4` -> `CM4`, `zero2w` -> `Zero 2 W`. */
export function modelText(model: string): string {
	const [, family = "", number = "", rest = ""] = /^(pi|zero)(\d*)([a-z]*)$/.exec(model) ?? [];
	if (family === "") return model.toUpperCase();
	const variant = rest.toUpperCase().replace(/P$/, "+");
	return [family === "pi" ? "Pi" : "Zero", number, variant].filter((part) => part !== "").join(" ");
}

/** `Raspberry Pi 5 Model B, 8 GB` where it has said that; undefined while it is not known at all. */
export function fullModelText({ model, modelName }: Pick<Device, "model" | "modelName">): string | undefined {
	return modelName ?? (model === null ? undefined : modelText(model));
}

/** `Pi 4, Pi 5, and CM4` */
export function listText(words: readonly string[]): string {
	return new Intl.ListFormat("en", { type: "conjunction" }).format(words);
}

/** `a, b, and 7 more` @param most that are named. */
export function namesText(names: readonly string[], most = 5): string {
	const more = names.length - most;
	return listText(more > 1 ? [...names.slice(0, most), `${more} more`] : names);
}

/** Virtual Pis run on the server's own machine: nobody else has such an address. */
export function isVirtual({ ip }: { readonly ip: string | null }): boolean {
	return ip?.startsWith("127.") === true;
}
