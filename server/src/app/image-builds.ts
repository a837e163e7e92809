/** The builds of an image that count for somebody: the newest, those that Pis run, and those that roots are kept of. */
import type { Image } from "@pi-netboot/api";
import type { RootKeeper } from "../boot/index.ts";
import type { DeviceRegistry } from "../devices/index.ts";
import type { LibraryImage } from "../images/index.ts";

export interface BuildUsers {
	readonly registry: Pick<DeviceRegistry, "list" | "bootsOf">;
	readonly care: Pick<RootKeeper["care"], "keptOf">;
}

/** The newest first. @param isOpen whether a Pi can read from a build. */
export function buildsOf(
	{ id: imageId, buildId: newest }: Pick<LibraryImage, "id" | "buildId">,
	{ registry, care }: BuildUsers,
	isOpen: (buildId: string) => boolean,
): Image["builds"] {
	const kept = care.keptOf(imageId);
	const boots = registry.list().flatMap((device) => {
		const own = registry.bootsOf(device).filter((boot) => boot.imageId === imageId && isOpen(boot.buildId));
		return own.map(({ buildId, startedAt }) => ({ buildId, startedAt, name: device.name }));
	});
	const usedAt = (id: string) => {
		const times = boots.filter(({ buildId }) => buildId === id).map(({ startedAt }) => startedAt);
		return Math.max(0, kept.get(id)?.usedAt ?? 0, ...times) || null;
	};
	const ids = new Set([newest, ...boots.map(({ buildId }) => buildId), ...kept.keys()]);
	return [...ids]
		.filter((id) => id !== null)
		.map((id) => ({
			id,
			isNewest: id === newest,
			usedAt: usedAt(id),
			usedBy: [...new Set(boots.filter(({ buildId }) => buildId === id).map(({ name }) => name))].sort(),
			roots: kept.get(id)?.roots ?? 0,
			bytes: kept.get(id)?.bytes ?? 0,
		}));
}
