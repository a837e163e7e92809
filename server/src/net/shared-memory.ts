/**
 * Memory that all connections share. When half of it is taken, an address gets no more than a small part; when all is taken, there is
 * still a reserve for addresses that have nothing. Who wants some when there is none left waits for its turn; and who holds some while others
 * wait, and does not get on with it, loses it. So a crowd of honest clients shares it, and a stranger that only holds it does not
 * keep it for long.
 */
import type { Clock, Timer } from "../base/index.ts";

export interface MemoryHolder {
	readonly address: string;
	/** There may be room again: it can ask once more. */
	roomAgain(): void;
	/** Ends it, because others wait for what it holds. */
	giveUp(): void;
}

export interface SharedMemoryOptions {
	/** Bytes. */
	readonly limit: number;
	/** Bytes that one address may hold when half of all is taken. */
	readonly part: number;
	readonly clock: Clock;
	/** Milliseconds without any progress that a holder has while others wait. */
	readonly patience?: number;
}

/** What all holders of one address have. */
interface Held {
	bytes: number;
	holders: number;
}

/** Stays until its holder is gone: it changes with every reply, and entries of a Map that come and go cost more than the reply. */
interface Share {
	readonly ofAddress: Held;
	bytes: number;
	/** When it began to hold something, or last held less than before. */
	since: number;
}

const LOOK_MS = 1000;

/** How much of the limit comes on top of it for those that hold nothing. */
const RESERVE = 1 / 2;

export class SharedMemory {
	readonly #limit: number;
	readonly #part: number;
	readonly #patience: number;
	readonly #clock: Clock;
	readonly #shares = new Map<MemoryHolder, Share>();
	readonly #byAddress = new Map<string, Held>();
	readonly #waiting = new Set<MemoryHolder>();
	#total = 0;
	#timer: Timer | undefined;
	#isWaking = false;

	constructor({ limit, part, clock, patience = 3000 }: SharedMemoryOptions) {
		this.#limit = limit;
		this.#part = part;
		this.#clock = clock;
		this.#patience = patience;
	}

	/** Bytes that are held. */
	get total(): number {
		return this.#total;
	}

	/** Notes what somebody holds now, whether there is room for it or not. Who has held something is to be forgotten at the end. */
	set(holder: MemoryHolder, bytes: number): void {
		const before = this.#shares.get(holder);
		const had = before?.bytes ?? 0;
		if (bytes === had) return;
		const share = before ?? this.#newShare(holder);
		if (had === 0 || bytes < had) share.since = this.#clock.monotonic();
		share.bytes = bytes;
		share.ofAddress.bytes += bytes - had;
		this.#total += bytes - had;
		if (bytes < had) this.#wake();
	}

	#newShare(holder: MemoryHolder): Share {
		const ofAddress = this.#byAddress.get(holder.address) ?? { bytes: 0, holders: 0 };
		ofAddress.holders++;
		this.#byAddress.set(holder.address, ofAddress);
		const share = { ofAddress, bytes: 0, since: 0 };
		this.#shares.set(holder, share);
		return share;
	}

	/** How much all may hold afterwards, when an address that holds so much asks for more. */
	#limitFor(held: number, more: number): number {
		if (held === 0) return this.#limit * (1 + RESERVE);
		return held + more <= this.#part ? this.#limit : this.#limit / 2;
	}

	#heldBy(address: string): number {
		return this.#byAddress.get(address)?.bytes ?? 0;
	}

	/** Whether there is room for so many more. If not, the holder is told when there may be. */
	hasRoom(holder: MemoryHolder, more = 1): boolean {
		if (this.#total + more <= this.#limitFor(this.#heldBy(holder.address), more)) return true;
		this.#waiting.add(holder);
		this.#watch();
		return false;
	}

	/** Makes what somebody holds larger, if there is room for it. If not, the holder is told when there may be. */
	reserve(holder: MemoryHolder, bytes: number): boolean {
		const had = this.#shares.get(holder)?.bytes ?? 0;
		if (bytes > had && !this.hasRoom(holder, bytes - had)) return false;
		this.set(holder, bytes);
		return true;
	}

	/** The holder is gone. */
	forget(holder: MemoryHolder): void {
		this.#waiting.delete(holder);
		this.set(holder, 0);
		const share = this.#shares.get(holder);
		if (share === undefined) return;
		this.#shares.delete(holder);
		share.ofAddress.holders--;
		if (share.ofAddress.holders === 0) this.#byAddress.delete(holder.address);
	}

	stop(): void {
		this.#timer?.cancel();
		this.#timer = undefined;
	}

	/** Not at once: whoever gave memory back is in the middle of something. */
	#wake(): void {
		if (this.#isWaking || this.#waiting.size === 0) return;
		this.#isWaking = true;
		queueMicrotask(() => {
			this.#isWaking = false;
			for (const holder of this.#turn()) {
				if (this.#total >= this.#limit * (1 + RESERVE)) break;
				this.#waiting.delete(holder);
				holder.roomAgain();
			}
		});
	}

	/** One of each address before the second of any, and first the address that holds least. */
	#turn(): MemoryHolder[] {
		const waiting = [...this.#waiting].sort((a, b) => this.#heldBy(a.address) - this.#heldBy(b.address));
		const byAddress = [...Map.groupBy(waiting, ({ address }) => address).values()];
		const longest = Math.max(0, ...byAddress.map(({ length }) => length));
		return Array.from({ length: longest }, (_, round) =>
			byAddress.flatMap((holders) => holders.slice(round, round + 1)),
		).flat();
	}

	#watch(): void {
		this.#timer ??= this.#clock.after(LOOK_MS, () => {
			this.#timer = undefined;
			const now = this.#clock.monotonic();
			for (const [holder, { bytes, since }] of this.#shares) {
				if (bytes > 0 && now - since >= this.#patience) holder.giveUp();
			}
			this.#wake();
			if (this.#waiting.size > 0) this.#watch();
		});
	}
}
