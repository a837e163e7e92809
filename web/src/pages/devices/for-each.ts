/** The same for several Pis. */
import type { Device } from "@pi-netboot/api";
import { listText } from "../../words/models.ts";

/** All of them, even if one is refused. @throws what the first refusal says, with the names of all. */
export async function forEach<D extends Pick<Device, "name">>(
	devices: readonly D[],
	act: (device: D) => Promise<unknown>,
): Promise<void> {
	const outcomes = await Promise.allSettled(devices.map((device) => act(device)));
	const refused = devices.filter((_, index) => outcomes[index]?.status === "rejected");
	const first = outcomes.find((outcome) => outcome.status === "rejected");
	if (first === undefined) return;
	const names = listText(refused.map(({ name }) => name));
	throw first.reason instanceof Error && refused.length === 1
		? first.reason
		: new Error(`It failed for ${names}: ${first.reason instanceof Error ? first.reason.message : first.reason}`);
}
