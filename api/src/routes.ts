/**
 * All routes as data: the server registers them, the API description is generated from them, clients take their types
 * from them. The key is the operation's id.
 */
import type { z } from "zod";
import { accessRoutes } from "./access-routes.ts";
import { deviceRoutes } from "./device-routes.ts";
import { authErrors, changeErrors, type ErrorCode, generalErrors } from "./errors.ts";
import { imageRoutes } from "./image-routes.ts";
import { networkRoutes } from "./network-routes.ts";
import { rootRoutes } from "./root-routes.ts";
import type { Route } from "./route.ts";
import { serverRoutes } from "./server-routes.ts";
import { writeRoutes } from "./write-routes.ts";

export const routes = {
	...serverRoutes,
	...networkRoutes,
	...imageRoutes,
	...deviceRoutes,
	...rootRoutes,
	...writeRoutes,
	...accessRoutes,
} as const satisfies Record<string, Route>;

export type Routes = typeof routes;
export type OperationId = keyof Routes;

type Parsed<R, K extends string> = R extends { readonly [P in K]: infer S extends z.ZodType } ? z.output<S> : undefined;

/** What a request of this operation brings, validated. */
export interface Input<K extends OperationId> {
	readonly params: Parsed<Routes[K], "params">;
	readonly query: Parsed<Routes[K], "query">;
	readonly body: Parsed<Routes[K], "body">;
}

/** What the operation answers. */
export type Output<K extends OperationId> = Parsed<Routes[K], "response">;

/** Every operation with its route, in the order of the table. */
export function allRoutes(): [OperationId, Route][] {
	const entries: [OperationId, Route][] = [];
	for (const id of Object.keys(routes)) if (isOperation(id)) entries.push([id, routes[id]]);
	return entries;
}

function isOperation(id: string): id is OperationId {
	return Object.hasOwn(routes, id);
}

/** All failures that a route can answer with. */
export function errorsOf(route: Route): ErrorCode[] {
	const ofKind = [...(route.auth === "user" ? authErrors : []), ...(route.method === "GET" ? [] : changeErrors)];
	return [...new Set([...route.errors, ...ofKind, ...generalErrors])];
}
