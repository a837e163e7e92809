/**
 * The settings of `serve`: a flag wins over the environment, the environment over the default. All that is wrong is said
 * at once, with what is right.
 */
import { resolve } from "node:path";
import { z } from "zod";
import { NetbootError } from "./base/index.ts";

/** A setting as a person gives it. */
interface Setting {
	/** As commander wants it. */
	readonly flag: string;
	/** Its environment variable. */
	readonly env: string;
	readonly help: string;
	readonly fallback?: string;
	/** From the text that was given to the value. */
	readonly schema: z.ZodType<unknown, string>;
}

const port = z
	.string()
	.regex(/^\d{1,5}$/, "expected a port number, 0 to 65535 (0 = any that is free)")
	.transform(Number)
	.refine((number) => number <= 65535, "expected a port number, 0 to 65535 (0 = any that is free)");

const ipv4 = z.ipv4("expected an IPv4 address like 192.168.1.2");

const folder = z.string().transform((path) => resolve(path));

const words = z.string().transform((text) => text.split(/[\s,]+/).filter((word) => word !== ""));

function choice<const T extends readonly [string, ...string[]]>(...values: T) {
	return z.enum(values, `expected ${values.join(", ")}`);
}

export const settings = {
	interface: {
		flag: "--interface <name>",
		env: "INTERFACE",
		help: "network interface to serve (default: the one with the default route)",
		schema: z.string().regex(/^[^\s/]{1,32}$/, "expected the name of an interface, like eth0"),
	},
	serverIp: {
		flag: "--server-ip <address>",
		env: "SERVER_IP",
		help: "address that Pis are told (default: the interface's)",
		schema: ipv4,
	},
	dhcp: {
		flag: "--dhcp <mode>",
		env: "DHCP_MODE",
		help: "proxy (beside the router's DHCP), or off",
		fallback: "proxy",
		schema: z.enum(["proxy", "off"], "expected proxy or off; this version does not give out addresses itself"),
	},
	imagesDir: {
		flag: "--images <folder>",
		env: "IMAGES_DIR",
		help: "where the images are",
		fallback: "./images",
		schema: folder,
	},
	dataDir: {
		flag: "--data <folder>",
		env: "DATA_DIR",
		help: "where settings, the token and the Pis' changes are kept",
		fallback: "./data",
		schema: folder,
	},
	httpHost: {
		flag: "--http-host <address>",
		env: "HTTP_HOST",
		help: "address that the page and the API listen on",
		fallback: "0.0.0.0",
		schema: z.union([z.ipv4(), z.ipv6()], "expected an address, like 0.0.0.0 or 127.0.0.1"),
	},
	httpPort: {
		flag: "--http-port <port>",
		env: "HTTP_PORT",
		help: "port of the page and the API",
		fallback: "38434",
		schema: port,
	},
	dhcpPort: { flag: "--dhcp-port <port>", env: "DHCP_PORT", help: "UDP port of DHCP", fallback: "67", schema: port },
	tftpPort: { flag: "--tftp-port <port>", env: "TFTP_PORT", help: "UDP port of TFTP", fallback: "69", schema: port },
	nfsPort: { flag: "--nfs-port <port>", env: "NFS_PORT", help: "TCP port of NFS", fallback: "2049", schema: port },
	portmapPort: {
		flag: "--portmap-port <port>",
		env: "PORTMAP_PORT",
		help: "TCP and UDP port of the portmapper",
		fallback: "111",
		schema: port,
	},
	auth: {
		flag: "--auth <mode>",
		env: "AUTH",
		help: "token (page and API want a login), or off",
		fallback: "token",
		schema: choice("token", "off"),
	},
	allowedHosts: {
		flag: "--allow-host <names>",
		env: "ALLOWED_HOSTS",
		help: "further host names that the page may be called by, comma-separated",
		fallback: "",
		schema: words,
	},
	logLevel: {
		flag: "--log-level <level>",
		env: "LOG_LEVEL",
		help: "error, warn, info or debug",
		fallback: "info",
		schema: choice("error", "warn", "info", "debug"),
	},
	logFormat: {
		flag: "--log-format <format>",
		env: "LOG_FORMAT",
		help: "text, or json (a line of pino's JSON each)",
		fallback: "text",
		schema: choice("text", "json"),
	},
} as const satisfies Record<string, Setting>;

type Settings = typeof settings;
type Key = keyof Settings;
type Required = { [K in Key]: Settings[K] extends { fallback: string } ? K : never }[Key];
type Value<K extends Key> = z.output<Settings[K]["schema"]>;

/** All settings of `serve`, checked. Those without a default are missing when nobody gave them; folders are absolute. */
export type Config = { readonly [K in Required]: Value<K> } & { readonly [K in Exclude<Key, Required>]?: Value<K> };

/** What was given is not what the settings take; the message lists all of it. */
export class ConfigError extends NetbootError {
	constructor(problems: readonly string[]) {
		const heading = problems.length === 1 ? "a setting is wrong:" : `${problems.length} settings are wrong:`;
		super("config", [heading, ...problems.map((problem) => `  ${problem}`)].join("\n"));
	}
}

/**
 * Puts the settings together.
 *
 * @param flags by their keys, as text, those that were given.
 * @throws ConfigError
 */
export function loadConfig(flags: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv): Config {
	const problems: string[] = [];
	const values: Record<string, unknown> = {};
	for (const [key, setting] of Object.entries<Setting>(settings)) {
		const given = givenText(key, setting, flags, env);
		if (given === undefined) continue;
		const result = setting.schema.safeParse(given.text);
		if (result.success) values[key] = result.data;
		else problems.push(`${given.from} "${given.text}": ${result.error.issues[0]?.message ?? "not understood"}`);
	}
	problems.push(...samePorts(values));
	if (problems.length > 0) throw new ConfigError(problems);
	// Every key went through its own schema, and those with a default cannot be missing.
	return values as unknown as Config;
}

interface Given {
	readonly text: string;
	readonly from: string;
}

/** An empty variable counts as none: that is how compose files switch one off. */
function givenText(
	key: string,
	setting: Setting,
	flags: Readonly<Record<string, unknown>>,
	env: NodeJS.ProcessEnv,
): Given | undefined {
	const flag = flags[key];
	if (typeof flag === "string") return { text: flag, from: setting.flag.split(" ")[0] ?? key };
	const inEnvironment = env[setting.env]?.trim() ?? "";
	if (inEnvironment !== "") return { text: inEnvironment, from: setting.env };
	return setting.fallback === undefined ? undefined : { text: setting.fallback, from: key };
}

const portFlags = {
	httpPort: "--http-port",
	dhcpPort: "--dhcp-port",
	tftpPort: "--tftp-port",
	nfsPort: "--nfs-port",
	portmapPort: "--portmap-port",
};

function samePorts(values: Readonly<Record<string, unknown>>): string[] {
	const owners = new Map<unknown, string>();
	const problems: string[] = [];
	for (const [key, flag] of Object.entries(portFlags)) {
		const number = values[key];
		const owner = owners.get(number);
		if (owner !== undefined) problems.push(`${flag} ${number}: ${owner} has this port already, expected another one`);
		if (number !== undefined && number !== 0) owners.set(number, flag);
	}
	return problems;
}
