/** Pages of lists that are in memory. */
import { ApiError } from "./errors.ts";

interface Wish {
	/** Of the last one of the page before. */
	readonly after?: string | undefined;
	/** Missing: all that follow. */
	readonly limit?: number | undefined;
}

/**
 * A page of a list, and what the next one begins after.
 *
 * @throws ApiError invalid-request when what it begins after is there no longer.
 */
export function pageOf<T>(all: readonly T[], { after, limit }: Wish, idOf: (one: T) => string) {
	const start = after === undefined ? 0 : all.findIndex((one) => idOf(one) === after) + 1;
	if (after !== undefined && start === 0) {
		throw new ApiError("invalid-request", `query.after: "${after}" is not in this list, or no longer`, {
			hint: "Ask for the first page again.",
		});
	}
	const shown = all.slice(start, limit === undefined ? undefined : start + limit);
	const last = shown.at(-1);
	const next = last !== undefined && start + shown.length < all.length ? idOf(last) : null;
	return { shown, next };
}
