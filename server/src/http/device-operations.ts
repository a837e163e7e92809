/** Devices: what is known of them, how they boot, and what a person changes. */
import { ApiError } from "./errors.ts";
import type { Operations } from "./operations.ts";
import { pageOf } from "./paging.ts";
import type { Services } from "./services.ts";

type DeviceOperation =
	| "listDevices"
	| "getDevice"
	| "changeDevice"
	| "listBoots"
	| "listAttempts"
	| "listDiagnoses"
	| "listBystanders"
	| "resetRoot";

export function deviceOperations({ devices }: Pick<Services, "devices">): Pick<Operations, DeviceOperation> {
	return {
		listDevices: async ({ query }) => {
			// What the page before ended with may have got another id since.
			const after = query.after && ((await devices.get(query.after))?.id ?? query.after);
			const { shown, next } = pageOf(await devices.list(), { ...query, after }, ({ id }) => id);
			return { devices: shown, next };
		},
		getDevice: async ({ params }) => (await devices.get(params.id)) ?? noDevice(params.id),
		changeDevice: async ({ params, body }) => (await devices.change(params.id, body)) ?? noDevice(params.id),
		listBoots: async ({ params, query }) => (await devices.boots(params.id, query)) ?? noDevice(params.id),
		listAttempts: async ({ params }) => ({
			attempts: (await devices.attempts(params.id)) ?? noDevice(params.id),
		}),
		listDiagnoses: async ({ params, query }) => (await devices.diagnoses(params.id, query)) ?? noDevice(params.id),
		listBystanders: async () => ({ bystanders: await devices.bystanders() }),
		resetRoot: async ({ params }) => {
			const { id } = (await devices.resetRoot(params.id)) ?? noDevice(params.id);
			return { id, pending: true };
		},
	};
}

function noDevice(id: string): never {
	throw new ApiError("device-not-found", `There is no device "${id}".`, { hint: "`pi-netboot devices` lists them." });
}
