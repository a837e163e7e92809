/** The leases as the API shows them. */
import type { Lease as ApiLease } from "@pi-netboot/api";
import type { Lease } from "../boot/index.ts";
import type { DeviceRegistry } from "../devices/index.ts";

export function showLeases(leases: readonly Lease[], registry: Pick<DeviceRegistry, "byMac">): ApiLease[] {
	return leases.map((lease) => {
		const device = registry.byMac(lease.mac);
		return { ...lease, deviceId: device?.id ?? null, name: device?.name ?? null };
	});
}
