/** The names that something is arriving under: two under one name would be one image, and the second would take the place of the first. */
import { ImportError } from "./import-error.ts";

export type ArrivalWay = "download" | "upload";

export class NameClaims {
	readonly #ways = new Map<string, ArrivalWay>();

	/** Until `release` nobody else brings a file of this name. @throws ImportError `image-exists` when somebody does already. */
	claim(name: string, way: ArrivalWay): void {
		const other = this.#ways.get(name);
		if (other !== undefined) throw isArriving(name, other);
		this.#ways.set(name, way);
	}

	release(name: string): void {
		this.#ways.delete(name);
	}
}

function isArriving(name: string, way: ArrivalWay): ImportError {
	return new ImportError("image-exists", `${name} is being ${way}ed already.`, {
		hint:
			way === "download"
				? "`pi-netboot images` shows how far it is; remove it to begin anew."
				: "Go on with that upload (GET /api/v1/uploads lists it), or remove it to begin anew.",
	});
}
