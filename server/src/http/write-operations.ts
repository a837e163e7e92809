/** Writes to disks: ordered, looked at, stopped, begun again; and the reboot that ends one. */
import type { Operations } from "./operations.ts";
import type { WriteService } from "./services.ts";

type WriteOperation = "startWrite" | "listWrites" | "getWrite" | "cancelWrite" | "retryWrite" | "rebootDevice";

export function writeOperations(writes: WriteService): Pick<Operations, WriteOperation> {
	return {
		startWrite: ({ params, body }) => writes.start(params.id, body),
		listWrites: async ({ query }) => ({ writes: await writes.list(query) }),
		getWrite: ({ params }) => writes.get(params.id),
		cancelWrite: ({ params }) => writes.cancel(params.id),
		retryWrite: ({ params }) => writes.retry(params.id),
		rebootDevice: ({ params }) => writes.reboot(params.id),
	};
}
