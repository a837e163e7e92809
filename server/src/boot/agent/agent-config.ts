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

/** Who an agent is, and whose. */
export interface AgentIdentity {
	readonly agentId: string;
	/** Signs what it says: 64 hex digits. */
	readonly secret: string;
	/** `http://HOST:PORT` of its server; undefined in boots of the first version, which did not note it. */
	readonly server?: string;
	/** The server's own, from which port 8888 may be asked. */
	readonly address?: string;
}

export function agentConfig({ agentId, secret, server, address }: AgentIdentity, settings: ImagerSettings): object {
	return {
		port: 8888,
		...settings,
		allowed_ips: ["127.0.0.1", ...(address === undefined ? [] : [address]), ...(settings.allowed_ips ?? [])],
		shared_secret: settings.shared_secret ?? unknownSecret(secret),
		...(server === undefined ? {} : { server }),
		agent_id: agentId,
		secret,
	};
}

/** The config.json of a netbooted root. @param httpPort of this server. */
export function bootConfig({ id, secret, server }: Boot, httpPort: number, settings: ImagerSettings): string {
	const place = server === null ? {} : { server: `http://${server}:${httpPort}`, address: server };
	const config = agentConfig({ agentId: id, secret, ...place }, settings);
	return `${JSON.stringify({ ...config, only_when_netbooted: true }, null, "\t")}\n`;
}

/** The same over a restart of the server. Nobody knows it but root on the Pi. */
function unknownSecret(secret: string): string {
	return createHmac("sha256", secret).update("port 8888").digest("hex");
}
