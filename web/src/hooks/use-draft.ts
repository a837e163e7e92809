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

export interface DraftForm<T> {
	/** What the fields show. */
	readonly shown: T;
	readonly set: (part: Partial<T>) => void;
	/** Forgets what was typed. */
	readonly discard: () => void;
	/** Forgets what was saved: what was typed while that was on its way stays. @param sent what the fields showed. */
	readonly saved: (sent: T) => void;
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
		saved: (sent) => setTyping((last) => withoutSaved(last, sent)),
		overtaken: overtakenBy(now, typing),
	};
}

export function type<T extends object>({ typed, before }: Typing<T>, part: Partial<T>, now: T): Typing<T> {
	const touched = Object.fromEntries(Object.keys(part).map((key) => [key, now[key as keyof T]])) as Partial<T>;
	return { typed: { ...typed, ...part }, before: { ...touched, ...before } };
}

export function withoutSaved<T extends object>({ typed }: Typing<T>, sent: T): Typing<T> {
	const keys = (Object.keys(typed) as (keyof T)[]).filter((key) => !isSame(typed[key], sent[key]));
	return { typed: only(typed, keys), before: only(sent, keys) };
}

function only<T extends object>(fields: Partial<T>, keys: readonly (keyof T)[]): Partial<T> {
	return Object.fromEntries(keys.map((key) => [key, fields[key]])) as Partial<T>;
}

export function overtakenBy<T extends object>(now: T, { typed, before }: Typing<T>): (keyof T)[] {
	const keys = Object.keys(typed) as (keyof T)[];
	return keys.filter((key) => !isSame(now[key], before[key]) && !isSame(now[key], typed[key]));
}

/** Fields hold texts, numbers and lists of texts. */
function isSame(a: unknown, b: unknown): boolean {
	return a === b || JSON.stringify(a) === JSON.stringify(b);
}
