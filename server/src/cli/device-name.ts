/** Which device a person means: by its id, its name or its MAC. */
import { type Device, DeviceId } from "@pi-netboot/api";
import { type ClientOptions, call } from "./client.ts";
import { CommandError, exitCodes } from "./command-error.ts";

/** @throws CommandError when there is none. */
export function deviceNamed(devices: readonly Device[], word: string): Device {
	const wanted = word.toLowerCase();
	const spellings = ({ id, name, mac }: Device) => [id, name.toLowerCase(), mac, mac?.replaceAll(":", "")];
	const found = devices.find((device) => spellings(device).includes(wanted));
	if (found !== undefined) return found;
	throw new CommandError(exitCodes.failed, `there is no device "${word}"`, {
		hint: "`pi-netboot devices` lists them.",
	});
}

/** What is an id goes as it is: the server knows former ones too. @throws CommandError when there is none of that name. */
export async function deviceIdOf(client: ClientOptions, word: string): Promise<string> {
	const id = DeviceId.safeParse(word);
	if (id.success) return id.data;
	return deviceNamed((await call(client, "listDevices")).devices, word).id;
}
