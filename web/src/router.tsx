/** The addresses of the page. Each page is a file of its own, loaded when somebody goes there. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { NotFound, PageFailed } from "./components/page-failed.tsx";
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
	component: lazyRouteComponent(() => import("./pages/devices/index.ts"), "DevicesPage"),
});

export const router = createRouter({
	routeTree: root.addChildren([home, devices]),
	defaultPreload: "intent",
	scrollRestoration: true,
});

declare module "@tanstack/react-router" {
	interface Register {
		router: typeof router;
	}
}
