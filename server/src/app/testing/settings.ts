/** Settings that are kept in memory, for tests. */
import type { SettingKeeper } from "../network-settings.ts";

export function memorySettings(values: Readonly<Record<string, unknown>> = {}): SettingKeeper & { fails: boolean } {
	const kept = new Map<string, unknown>(Object.entries(values));
	return {
		fails: false,
		get: (key) => kept.get(key) as never,
		async setAll(changes) {
			if (this.fails) throw new Error("the disk is full");
			for (const [key, value] of Object.entries(changes)) {
				if (value === undefined) kept.delete(key);
				else kept.set(key, value);
			}
		},
	};
}
