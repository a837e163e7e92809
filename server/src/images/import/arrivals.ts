/** The images that are on their way into the folder, by download or by upload, and those that did not make it. */
import { EventEmitter } from "node:events";
import { errorText, NetbootError } from "../../base/index.ts";
import type { Arrived } from "../origins.ts";
import { NameClaims } from "./claims.ts";

/** A value that does not change. */
export interface Arrival {
	/** The id that the image has, or will have. */
	readonly id: string;
	/** The file's name. */
	readonly name: string;
	/** Where it comes from: an address, or "upload". */
	readonly source: string;
	readonly way: Arrived["kind"];
	readonly state: "importing" | "broken";
	/** That are there. */
	readonly bytes: number;
	/** As far as it is known. */
	readonly total: number | undefined;
	/** Milliseconds since 1970. */
	readonly startedAt: number;
	/** What a person may want to know while it comes. */
	readonly remark?: ArrivalRemark;
	/** Why it did not make it. */
	readonly failure?: { readonly code: string; readonly message: string; readonly hint?: string };
}

export interface ArrivalRemark {
	readonly code: string;
	/** A warning holds until more has come. */
	readonly severity: "info" | "warning";
	readonly message: string;
}

export interface ArrivalEvents {
	changed: [Arrival];
	/** It is an image of the library now, or was given up. */
	ended: [Arrival];
}

/** Failures that are kept for the person to see. */
const MOST_FAILURES = 50;

/** See the head of this file. */
export class Arrivals {
	readonly events = new EventEmitter<ArrivalEvents>();
	readonly names = new NameClaims();
	/** By id. */
	readonly #arrivals = new Map<string, Arrival>();
	readonly #now: () => number;

	/** @param now gives milliseconds since 1970. */
	constructor(now: () => number) {
		this.#now = now;
	}

	list(): Arrival[] {
		return [...this.#arrivals.values()];
	}

	get(id: string): Arrival | undefined {
		return this.#arrivals.get(id);
	}

	/** One begins; it takes the place of one that has failed. */
	begin(arrival: Pick<Arrival, "id" | "name" | "source" | "way" | "total">): Arrival {
		return this.#show({ ...arrival, state: "importing", bytes: 0, startedAt: this.#now() });
	}

	/** More has come. Tells of it at each percent, or 16 MiB. */
	advance(id: string, bytes: number, total: number | undefined): void {
		const arrival = this.#arrivals.get(id);
		if (arrival?.state !== "importing") return;
		const { remark, ...plain } = arrival;
		const isOver = remark?.severity === "warning" && bytes > arrival.bytes;
		const next = { ...plain, ...(remark && !isOver && { remark }), bytes, total };
		if (stepOf(next) === stepOf(arrival) && !isOver) this.#arrivals.set(id, next);
		else this.#show(next);
	}

	/** Tells of something while it goes on. */
	remark(id: string, remark: ArrivalRemark): void {
		const arrival = this.#arrivals.get(id);
		if (arrival?.state === "importing") this.#show({ ...arrival, remark });
	}

	/** It will not come. What is no error of ours to tell is told as a sentence all the same. */
	fail(id: string, error: unknown): void {
		const arrival = this.#arrivals.get(id);
		if (arrival === undefined) return;
		const { remark: _, ...plain } = arrival;
		this.#show({ ...plain, state: "broken", failure: failureOf(error) });
		const failed = this.list().filter(({ state }) => state === "broken");
		for (const old of failed.slice(0, -MOST_FAILURES)) this.end(old.id);
	}

	/** It is there, or nobody wants it any more. */
	end(id: string): void {
		const arrival = this.#arrivals.get(id);
		if (arrival === undefined) return;
		this.#arrivals.delete(id);
		this.events.emit("ended", arrival);
	}

	#show(arrival: Arrival): Arrival {
		this.#arrivals.delete(arrival.id);
		this.#arrivals.set(arrival.id, arrival);
		this.events.emit("changed", arrival);
		return arrival;
	}
}

/** Of the bytes, 0 to 100; undefined when it is not known how many there will be. */
export function percentOf({ bytes, total }: Pick<Arrival, "bytes" | "total">): number | undefined {
	if (total === undefined) return undefined;
	return total === 0 ? 100 : Math.min(100, Math.floor((bytes / total) * 100));
}

function stepOf(arrival: Arrival): number {
	return percentOf(arrival) ?? Math.floor(arrival.bytes / 2 ** 24);
}

function failureOf(error: unknown): NonNullable<Arrival["failure"]> {
	const message = errorText(error);
	if (!(error instanceof NetbootError)) return { code: "import-failed", message };
	return { code: error.code, message, ...(error.hint !== undefined && { hint: error.hint }) };
}
