/** Where the server stands in the network. */
import { z } from "zod";
import { Ipv4, Time } from "./common.ts";

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

export const Network = z
	.object({
		mode: DhcpMode,
		serverIp: Ipv4.nullable().describe("The address that Pis are told; null while the machine has none."),
		interface: z.string().nullable(),
		range: AddressRange.nullable().describe("What `full` hands out; null in the other modes."),
		interfaces: z.array(NetworkInterface),
		otherDhcpServers: z.array(OtherDhcpServer),
	})
	.meta({ id: "Network" });
export type Network = z.infer<typeof Network>;

export const NetworkChanges = z
	.strictObject({
		mode: DhcpMode.optional(),
		serverIp: Ipv4.optional(),
		interface: z.string().min(1).max(32).optional(),
		range: AddressRange.optional(),
	})
	.meta({ id: "NetworkChanges" });
export type NetworkChanges = z.infer<typeof NetworkChanges>;
