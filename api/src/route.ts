/** A route as data. */
import type { z } from "zod";
import type { ErrorCode } from "./errors.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface Route {
	readonly method: Method;
	/** Parameters as `:name`. */
	readonly path: string;
	readonly summary: string;
	/** `open` answers everybody; `user` wants the token or a session. */
	readonly auth: "open" | "user";
	readonly params?: z.ZodObject;
	readonly query?: z.ZodObject;
	readonly body?: z.ZodType;
	/** Of a success; missing: 200, or 204 where there is no body. */
	readonly status?: 202;
	/** Missing: no body. */
	readonly response?: z.ZodType;
	/** What the response is, where it is not JSON. */
	readonly mediaType?: "text/event-stream" | "text/plain";
	/** The failures of this route alone; `errorsOf` adds those of its kind. */
	readonly errors: readonly ErrorCode[];
}
