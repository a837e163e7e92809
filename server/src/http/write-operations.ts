/** Writes to disks: ordered, looked at, stopped, begun again; and the reboot that ends one. */
import type { WriteList, WritesQuery } from "@pi-netboot/api";
import type { Operations } from "./operations.ts";
import type { WriteService } from "./services.ts";

type WriteOperation = "startWrite" | "listWrites" | "getWrite" | "cancelWrite" | "retryWrite" | "rebootDevice";

export function writeOperations(writes: WriteService): Pick<Operations, WriteOperation> {
	return {
		startWrite: ({ params, body }) => writes.start(params.id, body),
		listWrites: ({ query }) => page(writes, query),
		getWrite: ({ params }) => writes.get(params.id),
		cancelWrite: ({ params }) => writes.cancel(params.id),
		retryWrite: ({ params }) => writes.retry(params.id),
		rebootDevice: ({ params }) => writes.reboot(params.id),
	};
}

async function page(writes: WriteService, query: WritesQuery): Promise<WriteList> {
	const found = await writes.list({ ...query, limit: query.limit + 1 });
	const shown = found.slice(0, query.limit);
	return { writes: shown, next: found.length > query.limit ? (shown.at(-1)?.id ?? null) : null };
}
