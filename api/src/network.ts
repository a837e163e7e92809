/** Where the server stands in the network. */
import { z } from "zod";
import { Ipv4, PageLimit, Time } from "./common.ts";

export const DhcpMode = z
	.enum(["proxy", "full", "off"])
	.describe("`proxy` works beside the router's DHCP server, `full` hands out addresses itself.");
export type DhcpMode = z.infer<typeof DhcpMode>;

export const AddressRange = z.object({ start: Ipv4, end: Ipv4 }).meta({ id: "AddressRange" });
export type AddressRange = z.infer<typeof AddressRange>;

export const NetworkInterface = z
	.object({
		name: z.string(),
		mac: z.string(),
		addresses: z.array(z.object({ address: Ipv4, netmask: Ipv4 })),
		kind: z
			.enum(["wired", "wireless", "virtual", "loopback"])
			.describe("`virtual` are bridges and tunnels: no cable and no antenna of their own."),
		defaultRoute: z.boolean().describe("The way to the internet leads over it."),
	})
	.meta({ id: "NetworkInterface" });
export type NetworkInterface = z.infer<typeof NetworkInterface>;

export const OtherDhcpServer = z
	.object({ address: Ipv4, interface: z.string().optional(), lastSeenAt: Time })
	.meta({ id: "OtherDhcpServer" });
export type OtherDhcpServer = z.infer<typeof OtherDhcpServer>;

export const DhcpSubnet = z
	.object({
		interface: z.string().optional().describe("Missing for a subnet that a relay joins to ours."),
		serverAddress: Ipv4,
		netmask: Ipv4,
		start: Ipv4,
		end: Ipv4,
		router: Ipv4.optional(),
		dns: z.array(Ipv4),
	})
	.meta({ id: "DhcpSubnet" });
export type DhcpSubnet = z.infer<typeof DhcpSubnet>;

export const Lease = z
	.object({
		address: Ipv4,
		mac: z.string().describe("Whose it is; of one that is kept out of use, who has it, empty when nobody knows."),
		deviceId: z.string().nullable(),
		name: z.string().nullable().describe("The host name of the device."),
		state: z
			.enum(["offered", "leased", "released", "declined", "in-use"])
			.describe(
				"`released`: given back, and kept for the same machine. `declined`, `in-use`: kept out of use, because somebody was found with it.",
			),
		expiresAt: Time.describe("A lease that ran out stays its machine's until another one needs the address."),
	})
	.meta({ id: "Lease" });
export type Lease = z.infer<typeof Lease>;

export const LeasesQuery = z.strictObject({
	after: Ipv4.optional().describe("`next` of the page before."),
	limit: PageLimit,
});

export const LeasePage = z
	.object({
		leases: z.array(Lease).describe("In the order of the addresses; at most 4096 are kept."),
		next: Ipv4.nullable().describe("`after` for the next page; null at the end."),
	})
	.meta({ id: "LeasePage" });
export type LeasePage = z.infer<typeof LeasePage>;

const LeaseSeconds = z.int().min(120).max(604_800).describe("For how long `full` gives an address.");

export const Network = z
	.object({
		mode: DhcpMode.describe("What holds. `proxy` where `full` was asked for and is refused: `notes` says why."),
		serverIp: Ipv4.nullable().describe("The address that Pis are told; null while the machine has none."),
		interface: z.string().nullable(),
		range: AddressRange.nullable().describe(
			"What `full` hands out on the first of its subnets; null in the other modes.",
		),
		subnets: z
			.array(DhcpSubnet)
			.describe("Where `full` hands out addresses. Served interfaces without one are a proxy's."),
		leases: z
			.array(Lease)
			.describe("What `full` gave out, in the order of the addresses: the first 256. `GET /api/v1/leases` has all."),
		leaseCount: z.int().min(0).describe("How many there are in all."),
		leaseSeconds: LeaseSeconds,
		serveEverybody: z.boolean().describe("`full` gives addresses to machines that are no Raspberry Pis too."),
		insist: z.boolean().describe("`full` even where another DHCP server answers."),
		interfaces: z.array(NetworkInterface),
		otherDhcpServers: z.array(OtherDhcpServer),
		unconfirmedUntil: Time.nullable().describe(
			"What holds is taken back at this time, unless somebody confirms it before; null when nothing waits for that.",
		),
		notes: z.array(z.string()).describe("What a person should know of these settings, in sentences."),
	})
	.meta({ id: "Network" });
export type Network = z.infer<typeof Network>;

const found = "null = what is found.";

export const NetworkChanges = z
	.strictObject({
		mode: DhcpMode.optional(),
		serverIp: Ipv4.nullable().optional().describe(found),
		interface: z.string().min(1).max(32).nullable().optional().describe(found),
		range: AddressRange.nullable().optional().describe("What `full` hands out; null = .100 to .200 of the subnet."),
		router: z
			.union([Ipv4, z.literal("none")])
			.nullable()
			.optional()
			.describe(`The router that \`full\` tells. ${found}`),
		dns: z.array(Ipv4).max(8).nullable().optional().describe(`The DNS servers that \`full\` tells. ${found}`),
		leaseSeconds: LeaseSeconds.optional(),
		serveEverybody: z.boolean().optional(),
		insist: z.boolean().optional(),
	})
	.meta({ id: "NetworkChanges" });
export type NetworkChanges = z.infer<typeof NetworkChanges>;

export const NetworkPatch = NetworkChanges.extend({
	confirmWithin: z
		.int()
		.min(5)
		.max(600)
		.optional()
		.describe("Seconds. The change is taken back, also by a restart, unless it is confirmed before they are over."),
});
export type NetworkPatch = z.infer<typeof NetworkPatch>;
