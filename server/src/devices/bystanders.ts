/** Raspberry Pis that are on the LAN and do not boot from us: a hint for the person who waits for one. */

export interface Bystander {
	readonly mac: string;
	/** The address that it asked for, where it said one. */
	readonly address: string | undefined;
	/** Why it is none of our devices, as a sentence. */
	readonly reason: string;
	/** Milliseconds since 1970. */
	readonly lastSeenAt: number;
}

/** Enough for a page; a LAN full of Picos must not fill the memory. */
const BYSTANDERS_MAX = 64;

/** The last few, each once. */
export class Bystanders {
	readonly #byMac = new Map<string, Bystander>();

	/** @returns true when it is new, or the reason is another one than before. */
	saw(bystander: Bystander): boolean {
		const before = this.#byMac.get(bystander.mac);
		this.#byMac.delete(bystander.mac);
		this.#byMac.set(bystander.mac, bystander);
		const [oldest] = this.#byMac.keys();
		if (this.#byMac.size > BYSTANDERS_MAX && oldest !== undefined) this.#byMac.delete(oldest);
		return before?.reason !== bystander.reason;
	}

	/** It is a device now. */
	forget(mac: string): void {
		this.#byMac.delete(mac);
	}

	/** So many were seen that some were forgotten: somebody may be making them up. */
	get isFull(): boolean {
		return this.#byMac.size >= BYSTANDERS_MAX;
	}

	/** The last one seen first. */
	list(): Bystander[] {
		return [...this.#byMac.values()].reverse();
	}
}
