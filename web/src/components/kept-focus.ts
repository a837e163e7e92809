/**
 * Keeps the keyboard's place: when what has the focus goes away (a token that is revoked, a dialog that closes) or is switched
 * off (a button whose work is done), the focus goes to what is around it, or to where it was before; never back to the start.
 */

/** Milliseconds: a dialog that closes gives the focus back by itself first. */
const PATIENCE = 150;
/** Places that are remembered. */
const MOST = 32;
/** What takes the focus in place of what was in it. */
const AROUND = "li, form, article, section, ul, main";

/** Something that had the focus, and what was around it, the nearest first. */
interface Place {
	readonly element: HTMLElement;
	readonly around: readonly HTMLElement[];
}

export class KeptFocus {
	readonly #observer = new MutationObserver(() => this.#soon());
	#places: Place[] = [];
	/** Has the focus in place of the last one. */
	#standIn: HTMLElement | undefined;
	/** The last one was switched off; the focus comes back to it. */
	#isOff = false;
	#timer: number | undefined;

	start(): void {
		document.addEventListener("focusin", this.#remember);
		this.#observer.observe(document.body, { subtree: true, childList: true, attributeFilter: ["disabled"] });
	}

	stop(): void {
		document.removeEventListener("focusin", this.#remember);
		this.#observer.disconnect();
		window.clearTimeout(this.#timer);
	}

	readonly #remember = ({ target }: FocusEvent): void => {
		if (!(target instanceof HTMLElement) || target === this.#standIn) return;
		this.#standIn = undefined;
		this.#isOff = false;
		const others = this.#places.filter(({ element }) => element !== target);
		this.#places = [...others, { element: target, around: around(target) }].slice(-MOST);
	};

	#soon(): void {
		this.#timer ??= window.setTimeout(() => this.#look(), PATIENCE);
	}

	#look(): void {
		this.#timer = undefined;
		const { activeElement } = document;
		const last = this.#places.at(-1)?.element;
		if (last === undefined || (activeElement !== document.body && activeElement !== this.#standIn)) return;
		if (!isUsable(last)) this.#standInFor(last);
		// Who clicks beside everything has taken the focus away; what was switched off has not.
		else if (this.#isOff) last.focus({ preventScroll: true });
	}

	#standInFor(last: HTMLElement): void {
		this.#isOff = true;
		// Its work goes on; then it is there again.
		if (last.isConnected && last.dataset.loading !== undefined) return;
		if (this.#standIn?.isConnected) return;
		const next =
			this.#places
				.toReversed()
				.flatMap((place) => [place.element, ...place.around])
				.find(isUsable) ?? document.querySelector<HTMLElement>("main");
		if (next === null) return;
		this.#standIn = next;
		if (next.tabIndex < 0) next.tabIndex = -1;
		next.focus({ preventScroll: true });
	}
}

function around(element: HTMLElement): HTMLElement[] {
	// A menu is left for what opened it, not for what it stands in.
	if (element.matches("[role=menuitem]")) return [];
	const next = element.parentElement?.closest<HTMLElement>(AROUND);
	return next ? [next, ...around(next)] : [];
}

function isUsable(element: HTMLElement): boolean {
	return element.isConnected && !element.matches(":disabled") && element.checkVisibility();
}
