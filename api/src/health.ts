/** What works and what does not. */
import { z } from "zod";
import { Port } from "./common.ts";

export const ServiceState = z.enum(["starting", "running", "failed", "off"]);
export type ServiceState = z.infer<typeof ServiceState>;

export const ServiceHealth = z
	.object({
		state: ServiceState.describe("`off` is switched off on purpose; `failed` says why in `error`."),
		port: Port,
		error: z.string().optional().describe("Why it does not run."),
		hint: z.string().optional().describe("Commands that fix it, one per line; any one of them helps."),
	})
	.meta({ id: "ServiceHealth" });
export type ServiceHealth = z.infer<typeof ServiceHealth>;

export const Health = z
	.object({
		status: z.enum(["ok", "degraded"]).describe("`degraded` while a service is not running that Pis need to boot."),
		version: z.string(),
		services: z.object({
			dhcp: ServiceHealth,
			tftp: ServiceHealth,
			nfs: ServiceHealth,
			portmap: ServiceHealth,
			netconsole: ServiceHealth,
		}),
	})
	.meta({ id: "Health" });
export type Health = z.infer<typeof Health>;
