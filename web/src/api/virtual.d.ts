declare module "virtual:api-routes" {
	import type { Method, OperationId } from "@pi-netboot/api";

	const routes: Readonly<Record<OperationId, readonly [method: Method, path: string]>>;
	export default routes;
}

declare module "virtual:mantine-styles";
