/** What lets somebody in and who changed what, kept in memory. */
import type { AuditEntry } from "@pi-netboot/api";
import type { AccessKeeper, KeptToken } from "../access-book.ts";
import type { HostKeeper } from "../allowed-hosts.ts";
import type { AuditKeeper } from "../audit.ts";

interface Values {
	passwordHash: string;
	sessionEpoch: string;
	endedSessions: string;
	allowedHosts: readonly string[];
}

interface Settings {
	get<K extends keyof Values>(key: K): Values[K] | undefined;
	set<K extends keyof Values>(key: K, value: Values[K] | undefined): Promise<void>;
}

export class MemoryKeeper implements AccessKeeper, HostKeeper {
	readonly kept = new Map<string, KeptToken>();
	readonly #settings = new Map<string, string>();
	/** How often it was made sure that all is on the disk. */
	synced = 0;

	readonly tokens = {
		insert: async (token: KeptToken) => void this.kept.set(token.id, token),
		used: async (id: string, lastUsedAt: number) => {
			const token = this.kept.get(id);
			if (token !== undefined) this.kept.set(id, { ...token, lastUsedAt });
		},
		remove: async (id: string) => void this.kept.delete(id),
	};

	/** As JSON, as the store has them. */
	readonly settings: Settings = {
		get: (key) => {
			const text = this.#settings.get(key);
			return text === undefined ? undefined : JSON.parse(text);
		},
		set: async (key, value) => {
			if (value === undefined) this.#settings.delete(key);
			else this.#settings.set(key, JSON.stringify(value));
		},
	};

	async durable(): Promise<void> {
		this.synced++;
	}
}

export class MemoryAudit implements AuditKeeper {
	readonly entries: AuditEntry[] = [];

	async insert(entry: Omit<AuditEntry, "id">): Promise<void> {
		this.entries.push({ id: this.entries.length + 1, ...entry });
	}

	async list(limit: number, before = Number.POSITIVE_INFINITY): Promise<AuditEntry[]> {
		return this.entries
			.filter(({ id }) => id < before)
			.toReversed()
			.slice(0, limit);
	}
}
