/** The addresses of the page. Each page is a file of its own, loaded when somebody goes there. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { pageFile } from "./api/page-files.ts";
import { NotFound, PageFailed, PageWaits } from "./components/page-failed.tsx";
import { Shell } from "./components/shell.tsx";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: PageFailed });

const home = createRoute({
	getParentRoute: () => root,
	path: "/",
	beforeLoad: () => {
		throw redirect({ to: "/devices" });
	},
});
const devices = createRoute({
	getParentRoute: () => root,
	path: "/devices",
	component: lazyRouteComponent(
		pageFile(() => import("./pages/devices/index.ts")),
		"DevicesPage",
	),
});
const device = createRoute({
	getParentRoute: () => root,
	path: "/devices/$id",
	component: lazyRouteComponent(
		pageFile(() => import("./pages/device/index.ts")),
		"DevicePage",
	),
});
const images = createRoute({
	getParentRoute: () => root,
	path: "/images",
	component: lazyRouteComponent(
		pageFile(() => import("./pages/images/index.ts")),
		"ImagesPage",
	),
});
const network = createRoute({
	getParentRoute: () => root,
	path: "/network",
	component: lazyRouteComponent(
		pageFile(() => import("./pages/network/index.ts")),
		"NetworkPage",
	),
});
const logs = createRoute({
	getParentRoute: () => root,
	path: "/logs",
	component: lazyRouteComponent(
		pageFile(() => import("./pages/logs/index.ts")),
		"LogsPage",
	),
});
const settings = createRoute({
	getParentRoute: () => root,
	path: "/settings",
	component: lazyRouteComponent(
		pageFile(() => import("./pages/settings/index.ts")),
		"SettingsPage",
	),
});
const writes = createRoute({
	getParentRoute: () => root,
	path: "/writes",
	component: lazyRouteComponent(
		pageFile(() => import("./pages/writes/index.ts")),
		"WritesPage",
	),
});
const guide = createRoute({
	getParentRoute: () => root,
	path: "/guide",
	component: lazyRouteComponent(
		pageFile(() => import("./pages/guide/index.ts")),
		"GuidePage",
	),
});

export const router = createRouter({
	routeTree: root.addChildren([home, devices, device, images, writes, network, logs, settings, guide]),
	defaultPreload: "intent",
	defaultPendingComponent: PageWaits,
	scrollRestoration: true,
});

declare module "@tanstack/react-router" {
	interface Register {
		router: typeof router;
	}
}
