/** Whose an agent's id is. An agent that came with a boot goes by the boot's id and signs with its secret. */
import type { Device, DeviceRegistry } from "../../devices/index.ts";

export interface AgentKey {
	readonly secret: string;
	readonly device: Device;
	/** What of an agent is good for one boot alone, like an order to reboot, goes by this. */
	readonly bootId: string;
}

/** @returns undefined for an id that nobody has, or no longer. */
export type AgentKeys = (agentId: string) => AgentKey | undefined;

/** The agents that came with the boots that go on. */
export function bootKeys(registry: Pick<DeviceRegistry, "boot" | "byKey">): AgentKeys {
	return (agentId) => {
		const boot = registry.boot(agentId);
		const device = boot && registry.byKey(boot.deviceKey);
		return boot && device && { secret: boot.secret, device, bootId: boot.id };
	};
}
