/** Starting and stopping. Constructors do nothing outside of the process; `start` does. */

export interface Startable {
	/** Resolves when the thing works; rejects when it cannot, with nothing left open. */
	start(): Promise<void>;
	/** Resolves when everything it opened is closed. May be called when it never started. */
	stop(): Promise<void>;
}

/**
 * Runs teardown steps one after the other, all of them, whatever fails on the way.
 *
 * @throws AggregateError of what failed, after the last step.
 */
export async function settleSeries(steps: Iterable<() => unknown>): Promise<void> {
	const errors: unknown[] = [];
	for (const step of steps) {
		try {
			await step();
		} catch (error) {
			errors.push(error);
		}
	}
	if (errors.length > 0) throw new AggregateError(errors, `${errors.length} step(s) of the teardown failed`);
}
