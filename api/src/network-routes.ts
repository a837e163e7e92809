/** Where the server stands in the network, and who else is seen there. */
import { BystanderList } from "./boots.ts";
import { LeasePage, LeasesQuery, Network, NetworkPatch } from "./network.ts";
import type { Route } from "./route.ts";

export const networkRoutes = {
	getNetwork: {
		method: "GET",
		path: "/api/v1/network",
		summary: "Interfaces, address, DHCP mode, what was given out, and the other DHCP servers",
		auth: "user",
		response: Network,
		errors: [],
	},
	changeNetwork: {
		method: "PATCH",
		path: "/api/v1/network",
		summary: "Change mode and terms of DHCP, interface and address; what is left out stays",
		auth: "user",
		body: NetworkPatch,
		response: Network,
		errors: ["conflict"],
	},
	confirmNetwork: {
		method: "POST",
		path: "/api/v1/network/confirm",
		summary: "Keep a change of the network that is taken back otherwise: whoever ordered it still reaches the server",
		auth: "user",
		response: Network,
		errors: ["conflict"],
	},
	listLeases: {
		method: "GET",
		path: "/api/v1/leases",
		summary: "The addresses that the server gave out itself, or a page of them",
		auth: "user",
		query: LeasesQuery,
		response: LeasePage,
		errors: [],
	},
	listBystanders: {
		method: "GET",
		path: "/api/v1/bystanders",
		summary: "Pis and PXE clients that are seen on the network and do not boot from here, with the reason",
		auth: "user",
		response: BystanderList,
		errors: [],
	},
} as const satisfies Record<string, Route>;
