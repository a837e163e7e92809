/** Who changed what: noted when it was done, before it is answered. */
import type { AuditEntry, AuditPage, AuditQuery } from "@pi-netboot/api";
import { type Clock, errorText, type Logger } from "../base/index.ts";

/** Where it is kept; the store's repository. */
export interface AuditKeeper {
	insert(entry: Omit<AuditEntry, "id">): Promise<void>;
	/** The newest first. */
	list(limit: number, before?: number): Promise<AuditEntry[]>;
}

/** A change, as the request told it. */
export interface Change {
	readonly who: string;
	readonly address: string;
	readonly action: string;
	readonly target: string | null;
	readonly body: unknown;
}

/** Characters of the details. */
const MOST = 500;

/** What may be written down; of everything else only that it was there. */
const OPEN_FIELDS = new Set([
	...["id", "name", "imageId", "rootMode", "intent", "quotaBytes", "pending", "file", "replace"],
	...[
		"mode",
		"interface",
		"serverIp",
		"range",
		"start",
		"end",
		"router",
		"dns",
		"leaseSeconds",
		"serveEverybody",
		"insist",
	],
	...[
		"oldRoots",
		"kept",
		"days",
		"budgetBytes",
		"userName",
		"timeZone",
		"locale",
		"keyboard",
		"wifiCountry",
		"customisation",
	],
	...["hosts", "target", "verify", "confirm", "catalogId", "sha256", "hostname", "deviceId", "devices"],
]);

export class Audit {
	readonly #keeper: AuditKeeper;
	readonly #clock: Clock;
	readonly #log: Logger;

	constructor(keeper: AuditKeeper, clock: Clock, log: Logger) {
		this.#keeper = keeper;
		this.#clock = clock;
		this.#log = log;
	}

	/** Never throws: the change is done, and whoever asked for it is to know that. */
	async note({ body, ...change }: Change): Promise<void> {
		try {
			await this.#keeper.insert({ ...change, at: this.#clock.now(), details: detailsOf(body) });
		} catch (error) {
			this.#log.error({ err: error }, `${change.action} by ${change.who} was not noted: ${errorText(error)}`);
		}
	}

	async page({ limit, before }: AuditQuery): Promise<AuditPage> {
		const entries = await this.#keeper.list(limit + 1, before);
		const shown = entries.slice(0, limit);
		return { entries: shown, next: entries.length > limit ? (shown.at(-1)?.id ?? null) : null };
	}
}

/** `name=bench, customisation=(userName=pi, passwordHash)` */
function detailsOf(body: unknown): string {
	return typeof body === "object" && body !== null ? fieldsOf(body).slice(0, MOST) : "";
}

function fieldsOf(body: object): string {
	return Object.entries(body)
		.map(([name, value]) => (OPEN_FIELDS.has(name) ? `${name}=${shownValue(value)}` : name))
		.join(", ");
}

function shownValue(value: unknown): string {
	if (Array.isArray(value)) return `[${value.slice(0, 20).map(shownValue).join(" ")}]`;
	if (typeof value === "object" && value !== null) return `(${fieldsOf(value)})`;
	return String(value)
		.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, " ")
		.slice(0, 100);
}
