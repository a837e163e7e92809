/** The same for several Pis. */
import type { Device } from "@pi-netboot/api";
import { Away, Refusal } from "../../api/client.ts";
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
	const { reason } = first;
	if (devices.length === 1) throw reason;
	const message = `It failed for ${listText(refused.map(({ name }) => name))}: `;
	if (reason instanceof Away) throw new Away(message + reason.message);
	if (!(reason instanceof Refusal)) throw reason;
	const { status, code, hint } = reason;
	throw new Refusal(status, { code, message: message + reason.message, hint });
}
