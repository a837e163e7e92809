/**
 * The files of the page that are loaded later. They are fetched while nothing else is to do, so that all pages can be gone
 * to while the server is away; one that still cannot be had is there when the server is back.
 */
import { addressOf } from "./client.ts";

/** Milliseconds. */
const RETRY = 2000;
const SOON = 3000;
const RELOAD_AT_MOST = 60_000;

/** Where it is written down when the page was loaded anew for a file. */
const RELOADED = "pi-netboot-reloaded-at";

/** What is fetched when there is time; undefined from then on. */
let later: (() => Promise<unknown>)[] | undefined = [];

/** A file of the page, loaded when it is asked for or when there is time. @param load imports it. */
export function pageFile<T>(load: () => Promise<T>): () => Promise<T> {
	if (later === undefined) fetchFile(load);
	else later.push(load);
	return async () => {
		try {
			return await load();
		} catch (error) {
			await serverAnswers();
			if (!mayReload()) throw error;
			// Browsers remember that a file was not there; where the server has a newer version, it is gone for good.
			window.location.reload();
			return new Promise<never>(() => {});
		}
	};
}

/** Fetches what was not asked for yet, a while after the first page is there. */
export function fetchPageFiles(): void {
	window.setTimeout(() => {
		const files = later ?? [];
		later = undefined;
		for (const load of files) fetchFile(load);
	}, SOON);
}

function fetchFile(load: () => Promise<unknown>): void {
	// Who needs one that did not come asks again.
	load().catch(() => undefined);
}

/** Not again and again: what is not there after that is not there at all. */
function mayReload(): boolean {
	const last = Number(sessionStorage.getItem(RELOADED));
	sessionStorage.setItem(RELOADED, String(Date.now()));
	return Date.now() - last > RELOAD_AT_MOST;
}

async function serverAnswers(): Promise<void> {
	for (;;) {
		const answers = await fetch(addressOf("getHealth")).then(
			({ ok }) => ok,
			() => false,
		);
		if (answers) return;
		await new Promise((resolve) => window.setTimeout(resolve, RETRY));
	}
}
