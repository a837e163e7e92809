/**
 * A form over something that others may change at the same time, in another browser or with the API: what was not touched shows
 * what holds now and is not sent, what was touched stays as it was typed.
 */
import { useState } from "react";

interface Typing<T> {
	readonly typed: Partial<T>;
	/** What each of these fields was when it was touched first. */
	readonly before: Partial<T>;
}

interface DraftForm<T> {
	/** What the fields show. */
	readonly shown: T;
	readonly set: (part: Partial<T>) => void;
	/** Forgets what was typed. */
	readonly discard: () => void;
	/** Fields that somebody else has changed since they were touched here: to save them replaces that. */
	readonly overtaken: readonly (keyof T)[];
}

/** @param now what holds, as the form has it. */
export function useDraft<T extends object>(now: T): DraftForm<T> {
	const [typing, setTyping] = useState<Typing<T>>({ typed: {}, before: {} });
	return {
		shown: { ...now, ...typing.typed },
		set: (part) => setTyping((last) => type(last, part, now)),
		discard: () => setTyping({ typed: {}, before: {} }),
		overtaken: overtakenBy(now, typing),
	};
}

export function type<T extends object>({ typed, before }: Typing<T>, part: Partial<T>, now: T): Typing<T> {
	const touched = Object.fromEntries(Object.keys(part).map((key) => [key, now[key as keyof T]])) as Partial<T>;
	return { typed: { ...typed, ...part }, before: { ...touched, ...before } };
}

export function overtakenBy<T extends object>(now: T, { typed, before }: Typing<T>): (keyof T)[] {
	const keys = Object.keys(typed) as (keyof T)[];
	return keys.filter((key) => !isSame(now[key], before[key]) && !isSame(now[key], typed[key]));
}

/** Fields hold texts, numbers and lists of texts. */
function isSame(a: unknown, b: unknown): boolean {
	return a === b || JSON.stringify(a) === JSON.stringify(b);
}
