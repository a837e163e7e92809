/** The agent's config.json: what it needs to know of its boot. See agent/README.md. */
import { createHmac } from "node:crypto";
import type { Boot } from "../../devices/index.ts";

/** What a person set for clients that ask port 8888, as config.json has it. */
export interface ImagerSettings {
	/** Addresses and subnets, besides the Pi itself and this server. */
	readonly allowed_ips?: readonly string[] | undefined;
	readonly shared_secret?: string | undefined;
	readonly port?: number | undefined;
	readonly any_source?: boolean | undefined;
}

/** @param httpPort of this server. */
export function agentConfig(boot: Boot, httpPort: number, settings: ImagerSettings): string {
	const { server } = boot;
	const config = {
		port: 8888,
		...settings,
		allowed_ips: ["127.0.0.1", ...(server === null ? [] : [server]), ...(settings.allowed_ips ?? [])],
		shared_secret: settings.shared_secret ?? unknownSecret(boot),
		...(server === null ? {} : { server: `http://${server}:${httpPort}` }),
		agent_id: boot.id,
		secret: boot.secret,
		only_when_netbooted: true,
	};
	return `${JSON.stringify(config, null, "\t")}\n`;
}

/** Of this boot, and the same over a restart of the server. Nobody knows it but root on the Pi. */
function unknownSecret({ secret }: Boot): string {
	return createHmac("sha256", secret).update("port 8888").digest("hex");
}
