/** What lets somebody in and who changed what, kept in memory. */
import type { AuditEntry } from "@pi-netboot/api";
import type { AccessKeeper, KeptToken } from "../access-book.ts";
import type { AuditKeeper } from "../audit.ts";

export class MemoryKeeper implements AccessKeeper {
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

	readonly settings = {
		get: (key: string) => this.#settings.get(key),
		set: async (key: string, value: string | undefined) => {
			if (value === undefined) this.#settings.delete(key);
			else this.#settings.set(key, value);
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
