/**
 * What a person looks for on a page, kept with the page's entry in the browser's history: whoever opens one of what was found
 * and goes back, or reloads the page, finds it as it was. A link to the page begins anew.
 */
import { useRouter } from "@tanstack/react-router";
import { useState } from "react";

/** Like the state of a component. @param slot of the browser's storage, one per page; @param first texts, or null for none. */
export function useKept<T extends object>(slot: string, first: T): [T, (value: T) => void] {
	const { history } = useRouter();
	const entry = () => history.location.state.__TSR_key;
	const [value, setValue] = useState(() => keptOf(first, sessionStorage.getItem(slot), entry()));
	const keep = (next: T) => {
		setValue(next);
		sessionStorage.setItem(slot, JSON.stringify({ entry: entry(), value: next } satisfies Kept));
	};
	return [value, keep];
}

interface Kept {
	readonly entry: string | undefined;
	readonly value: object;
}

/** Another version of the page may have kept other fields. @param kept as JSON; null where nothing was. */
export function keptOf<T extends object>(first: T, kept: string | null, entry: string | undefined): T {
	const found: Kept | null = JSON.parse(kept ?? "null");
	if (found === null || entry === undefined || found.entry !== entry) return first;
	const known = Object.entries(found.value).filter(([key, value]) => key in first && isText(value));
	return { ...first, ...Object.fromEntries(known) };
}

const isText = (value: unknown): boolean => typeof value === "string" || value === null;
