/** `config.txt` as the firmware reads it: which lines count for this board, and what they say about the files to load. */

/** What a board matches in section headers. */
export interface Filters {
	/** `pi4`, `pi400`, ... */
	readonly models: ReadonlySet<string>;
	/** 8 hex digits. */
	readonly serial: string;
	/** The T field of the revision code: `[board-type=0x11]`. */
	readonly boardType: number;
}

export interface BootConfig {
	readonly values: ReadonlyMap<string, string>;
	/** In their order, without parameters. */
	readonly overlays: readonly string[];
	/** `initramfs NAME followkernel` or `ramfsfile=`. */
	readonly initramfs: string | undefined;
	/** Names of the files that it included. */
	readonly includes: readonly string[];
}

const MAX_INCLUDE_DEPTH = 8;

/**
 * @param include gives the text of an included file, or undefined when there is none.
 */
export async function readConfig(text: string, filters: Filters, include: Include): Promise<BootConfig> {
	const reader = new Reader(filters, include);
	await reader.read(text, 0);
	return reader;
}

type Include = (name: string) => Promise<string | undefined>;

class Reader implements BootConfig {
	readonly values = new Map<string, string>();
	readonly overlays: string[] = [];
	readonly includes: string[] = [];
	initramfs: string | undefined;
	readonly #filters: Filters;
	readonly #include: Include;

	constructor(filters: Filters, include: Include) {
		this.#filters = filters;
		this.#include = include;
	}

	async read(text: string, depth: number): Promise<void> {
		for (const line of activeLines(text, this.#filters)) {
			const [, command, name] = /^(include|initramfs)\s+(\S+)/.exec(line) ?? [];
			if (command === "initramfs") this.initramfs = name;
			else if (command === "include" && name !== undefined) await this.#readIncluded(name, depth + 1);
			else this.#assign(line);
		}
	}

	async #readIncluded(name: string, depth: number): Promise<void> {
		this.includes.push(name);
		const text = depth <= MAX_INCLUDE_DEPTH ? await this.#include(name) : undefined;
		if (text !== undefined) await this.read(text, depth);
	}

	#assign(line: string): void {
		const [, key, value] = /^([^=\s]+)\s*=\s*(.*)$/.exec(line) ?? [];
		if (key === undefined || value === undefined) return;
		this.values.set(key, value);
		if (key === "ramfsfile") this.initramfs = value;
		const overlay = value.split(/[,:]/, 1)[0];
		if (key === "dtoverlay" && overlay !== undefined && overlay !== "") this.overlays.push(overlay);
	}
}

/** The lines that count, without comments and blanks around them. */
function* activeLines(text: string, filters: Filters): Generator<string> {
	const state: SectionState = { model: true, serial: true, board: true, never: false };
	for (const raw of text.split(/[\r\n]+/)) {
		const line = raw.trim();
		if (line === "" || line.startsWith("#")) continue;
		const section = /^\[(.*)\]$/.exec(line)?.[1];
		if (section !== undefined) enter(section.trim(), state, filters);
		else if (state.model && state.serial && state.board && !state.never) yield line;
	}
}

interface SectionState {
	model: boolean;
	serial: boolean;
	board: boolean;
	never: boolean;
}

const MODEL = /^(pi\d?\+?|pi\d{2,3}\+?|pi0w|pi02|pi3\+|cm\d\w*|board\d*)$/;

/** Filters of different kinds hold together; one of the same kind takes the place of the one before; `[all]` ends them all. */
function enter(section: string, state: SectionState, { models, serial, boardType }: Filters): void {
	const name = section.toLowerCase();
	if (name === "all") Object.assign(state, { model: true, serial: true, board: true, never: false });
	else if (MODEL.test(name)) state.model = models.has(name);
	else if (/^0x[0-9a-f]+$/.test(name)) state.serial = Number(name) === Number.parseInt(serial, 16);
	else if (name.startsWith("board-type=")) state.board = Number(name.slice("board-type=".length)) === boardType;
	else state.never = true;
}
