/** The roots of the devices, and what holds for all, as the API shows them. */
import type {
	Snapshot as ApiSnapshot,
	Defaults,
	DefaultsChanges,
	DeviceRoot,
	RootChanges,
	RootChangesQuery,
} from "@pi-netboot/api";
import { NetbootError } from "../base/index.ts";
import type { RootKeeper } from "../boot/index.ts";
import { changedCustomisation, type Device, type DeviceRegistry } from "../devices/index.ts";
import type { RootService } from "../http/index.ts";
import type { SettingChanges, Store } from "../store/index.ts";
import { showCustomisation } from "./device-service.ts";
import { withPasswordHashed } from "./hashed-password.ts";

type Care = RootKeeper["care"];

export interface RootAnswersOptions {
	readonly registry: DeviceRegistry;
	readonly care: Care;
	readonly store: Pick<Store, "settings" | "durable">;
}

export class RootAnswers implements RootService {
	/** Told when somebody has changed them. */
	onDefaults: ((defaults: Defaults) => void) | undefined;
	readonly #registry: DeviceRegistry;
	readonly #care: Care;
	readonly #store: RootAnswersOptions["store"];

	constructor({ registry, care, store }: RootAnswersOptions) {
		this.#registry = registry;
		this.#care = care;
		this.#store = store;
	}

	async root(id: string): Promise<DeviceRoot> {
		const device = this.#device(id);
		const [roots, snapshots] = await Promise.all([this.#care.rootsOf(device), this.#care.snapshots.list(device)]);
		const bytes = [...roots, ...snapshots].reduce((sum, one) => sum + one.bytes, 0);
		return { bytes, quotaBytes: this.#registry.quotaOf(device) ?? null, roots, snapshots };
	}

	async changes(id: string, { after, limit }: RootChangesQuery): Promise<RootChanges> {
		const { changes, isComplete } = await this.#care.changes(this.#device(id));
		// They are sorted, and a path may have gone since the page before.
		const first = after === undefined ? 0 : changes.findIndex(({ path }) => path > after);
		const page = first < 0 ? [] : changes.slice(first, first + limit);
		const isLast = first < 0 || first + limit >= changes.length;
		return {
			changes: page.map((change) => ({ ...change })),
			total: changes.length,
			bytes: changes.reduce((sum, { kind, bytes }) => sum + (kind === "removed" ? 0 : bytes), 0),
			next: isLast ? null : (page.at(-1)?.path ?? null),
			isComplete,
		};
	}

	snapshots(id: string): Promise<ApiSnapshot[]> {
		return this.#care.snapshots.list(this.#device(id));
	}

	async takeSnapshot(id: string, name: string): Promise<ApiSnapshot> {
		return this.#care.takeSnapshot(this.#device(id), name);
	}

	async removeSnapshot(id: string, name: string): Promise<void> {
		await this.#care.removeSnapshot(this.#device(id), name);
	}

	async restoreSnapshot(id: string, name: string): Promise<ApiSnapshot> {
		const device = this.#device(id);
		await this.#care.restoreSnapshot(device, name);
		return this.#care.snapshots.show(await this.#care.snapshots.get(device, name));
	}

	defaults(): Defaults {
		const { settings } = this.#store;
		return {
			rootMode: settings.get("defaultRootMode") ?? "persistent",
			quotaBytes: settings.get("defaultQuotaBytes") ?? 0,
			customisation: showCustomisation(settings.get("defaultCustomisation") ?? {}),
			oldRoots: { ...this.#care.rule() },
			...this.#care.total(),
		};
	}

	async changeDefaults({ rootMode, quotaBytes, customisation, oldRoots = {} }: DefaultsChanges): Promise<Defaults> {
		const { settings } = this.#store;
		const custom = customisation && (await withPasswordHashed(customisation));
		const wanted: SettingChanges = {
			...(rootMode !== undefined && { defaultRootMode: rootMode }),
			...(quotaBytes !== undefined && { defaultQuotaBytes: quotaBytes }),
			...(custom !== undefined && {
				defaultCustomisation: { ...changedCustomisation(settings.get("defaultCustomisation") ?? {}, custom) },
			}),
			...(oldRoots.kept !== undefined && { oldRootsKept: oldRoots.kept }),
			...(oldRoots.days !== undefined && { oldRootDays: oldRoots.days }),
			...(oldRoots.budgetBytes !== undefined && { rootBudgetBytes: oldRoots.budgetBytes }),
		};
		await settings.setAll(wanted);
		await this.#store.durable();
		this.#care.applyQuotas();
		const defaults = this.defaults();
		this.onDefaults?.(defaults);
		return defaults;
	}

	#device(id: string): Device {
		const device = this.#registry.get(id);
		if (device === undefined) throw new NetbootError("device-not-found", `There is no device "${id}".`);
		return device;
	}
}
