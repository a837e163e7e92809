/** A request for each route of the table that would be answered. */
import { allRoutes, type Method, type OperationId, type Route } from "@pi-netboot/api";

export interface Walk {
	readonly id: OperationId;
	readonly route: Route;
	readonly method: Method;
	readonly url: string;
}

/** Every route with an address of it whose parameters are well formed. */
export function walkRoutes(): Walk[] {
	return allRoutes().map(([id, route]) => ({ id, route, method: route.method, url: addressOf(route) }));
}

function addressOf({ path, params }: Route): string {
	return path.replace(/:(\w+)/g, (_, name: string) => wellFormed(name, params));
}

/** The first of a few usual words that the parameter's schema takes. */
function wellFormed(name: string, params: Route["params"]): string {
	const words = ["7bf18f79", "raspios-trixie", "clean", "00112233aabbccdd", "1"];
	const schema = params?.shape[name];
	const word = words.find((candidate) => schema?.safeParse(candidate).success);
	if (word === undefined) throw new Error(`no word is right for :${name}; add one`);
	return word;
}
