/** A change of the network, which the server takes back by itself when this page does not reach it any more. */
import type { Network, NetworkChanges } from "@pi-netboot/api";
import { ask } from "../../api/client.ts";
import { Away } from "../../api/failures.ts";

/** For so long the server waits to be confirmed. */
const SECONDS = 30;
/** Milliseconds. */
const AGAIN = 1000;

/** Whether what was asked did not get to the server, or its answer not back. */
const isAway = (error: unknown): error is Away => error instanceof Away;

/**
 * Resolves when the change holds for good: the server was reached after it.
 *
 * @throws Refusal when the change was refused, or taken back before the server was reached; Away when it is not reached at all.
 */
export async function changeNetwork(wanted: NetworkChanges): Promise<Network> {
	const deadline = Date.now() + 2 * SECONDS * 1000;
	// Without an answer it may hold all the same: whether it does is what the confirmation tells.
	await ask("changeNetwork", { body: { ...wanted, confirmWithin: SECONDS } }).catch((error: unknown) => {
		if (!isAway(error)) throw error;
	});
	for (;;) {
		try {
			return await ask("confirmNetwork", {});
		} catch (error) {
			if (!isAway(error) || Date.now() > deadline) throw error;
			await new Promise((resolve) => setTimeout(resolve, AGAIN));
		}
	}
}
