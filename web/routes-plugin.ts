/**
 * Gives the page the API's routes as plain data: `import routes from "virtual:api-routes"` has each operation's method and
 * path. The schemas stay behind, which would be a quarter of the first page.
 */
import { allRoutes } from "@pi-netboot/api";
import type { Plugin } from "vite";

const name = "virtual:api-routes";
const resolved = `\0${name}`;

export function apiRoutes(): Plugin {
	return {
		name: "api-routes",
		resolveId: (id) => (id === name ? resolved : undefined),
		load: (id) => (id === resolved ? `export default ${JSON.stringify(table())};` : undefined),
	};
}

function table(): Record<string, readonly [method: string, path: string]> {
	return Object.fromEntries(allRoutes().map(([id, { method, path }]) => [id, [method, path] as const]));
}
