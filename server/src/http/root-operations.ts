/** What Pis changed in their roots, snapshots of that, and what holds for all roots. */
import type { Operations } from "./operations.ts";
import type { Services } from "./services.ts";

type RootOperation =
	| "getRoot"
	| "listRootChanges"
	| "listSnapshots"
	| "createSnapshot"
	| "deleteSnapshot"
	| "restoreSnapshot"
	| "getDefaults"
	| "changeDefaults";

export function rootOperations({ roots }: Pick<Services, "roots">): Pick<Operations, RootOperation> {
	return {
		getRoot: ({ params }) => roots.root(params.id),
		listRootChanges: ({ params, query }) => roots.changes(params.id, query),
		listSnapshots: async ({ params }) => ({ snapshots: await roots.snapshots(params.id) }),
		createSnapshot: ({ params, body }) => roots.takeSnapshot(params.id, body.name),
		deleteSnapshot: async ({ params }) => {
			await roots.removeSnapshot(params.id, params.name);
			return undefined;
		},
		restoreSnapshot: ({ params }) => roots.restoreSnapshot(params.id, params.name),
		getDefaults: () => roots.defaults(),
		changeDefaults: ({ body }) => roots.changeDefaults(body),
	};
}
