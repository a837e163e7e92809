/**
 * Reading without waiting. All readers of disks and trees are synchronous: that makes a file operation one step which
 * nothing can interleave. When bytes are not at hand (a part of the image that was not touched lately may lie on a slow
 * disk), the source throws a `BlockFault`; whoever runs the operation waits for `ready` and runs it again from its start.
 *
 * So an operation may fault anywhere before its first change; trees that change things undo what they began.
 */

/** The bytes asked for are on their way; run the operation again once `ready` is settled. */
export class BlockFault extends Error {
	/** Never rejects: a failed read shows when the operation runs again. */
	readonly ready: Promise<void>;

	constructor(ready: Promise<void>) {
		super("block fault");
		this.name = "BlockFault";
		this.ready = ready;
	}
}

/**
 * Runs a synchronous operation until it no longer faults and gives its result.
 *
 * @throws whatever the operation throws, a `BlockFault` apart.
 */
export async function whenReady<T>(operation: () => T): Promise<T> {
	for (;;) {
		try {
			return operation();
		} catch (error) {
			if (!(error instanceof BlockFault)) throw error;
			await error.ready;
		}
	}
}
