/**
 * Fairness between the transfers of a crowd.
 *
 * libuv reads up to 32 datagrams from one socket before it looks at the next. A client that is near answers quicker than we
 * get on, so its socket never runs dry, and every block of all others waits for 32 of its own. So when several transfers run,
 * what comes in is kept until every socket was looked at, and then all are answered in turn.
 */

/** Who takes datagrams: a transfer. */
export interface Receiver {
	receive(bytes: Buffer): void;
}

export class Turns {
	#waiting: { readonly receiver: Receiver; readonly bytes: Buffer }[] = [];

	/**
	 * Hands a datagram on, now or when the other sockets were looked at.
	 *
	 * @param isAlone whether no other transfer runs: then nobody waits, and the detour would only cost time.
	 */
	take(receiver: Receiver, bytes: Buffer, isAlone: boolean): void {
		if (isAlone && this.#waiting.length === 0) {
			receiver.receive(bytes);
			return;
		}
		this.#waiting.push({ receiver, bytes });
		if (this.#waiting.length === 1) setImmediate(() => this.#answer());
	}

	#answer(): void {
		const waiting = this.#waiting;
		this.#waiting = [];
		for (const { receiver, bytes } of waiting) receiver.receive(bytes);
	}
}
