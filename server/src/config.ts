/**
 * The settings of `serve`: a flag wins over the environment, the environment over the default. All that is wrong is said
 * at once, with what is right.
 */
import { isIPv6 } from "node:net";
import { resolve } from "node:path";
import { NewAllowedHosts } from "@pi-netboot/api";
import { z } from "zod";
import { NetbootError } from "./base/index.ts";
import { CATALOG_URL } from "./images/index.ts";
import { ipv4ToNumber, isIpv4 } from "./wire/dhcp/index.ts";

/** A setting as a person gives it. */
interface Setting {
	/** As commander wants it. */
	readonly flag: string;
	/** Its environment variable, or the two whose texts stand on both sides of a dash. */
	readonly env: string | readonly [string, string];
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

// The folder that one happens to be in is none that anybody meant.
const folder = z
	.string()
	.regex(/\S/, "expected the path of a folder, like ./data")
	.transform((path) => resolve(path));

const words = z.string().transform((text) => text.split(/[\s,]+/).filter((word) => word !== ""));

/** All of IPv6, or all of IPv4 in either spelling. */
const EVERYBODY = /\/0$|^::ffff:.*\/(\d|[1-8]\d|9[0-6])$/i;

const proxy = z
	.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], "expected addresses like 192.168.1.5 or 10.0.0.0/8")
	.refine((text) => !EVERYBODY.test(text), "expected addresses of proxies: this means everybody");

/** A range of addresses. With `prefix` it is in a subnet of that many bits which a relay joins to ours. */
export interface AddressRange {
	readonly start: string;
	readonly end: string;
	readonly prefix?: number;
}

const RANGE_WISH =
	"expected a range like 192.168.1.100-192.168.1.200, further ones behind relays like 10.5.0.10-10.5.0.99/24";

const ranges = words
	.transform((list) => list.map(parseRange))
	.refine((list) => list.length > 0 && list.every((range) => range !== undefined), RANGE_WISH)
	.transform((list) => list.filter((range) => range !== undefined));

function parseRange(text: string): AddressRange | undefined {
	const [, start = "", end = "", prefix] = /^([\d.]+)-([\d.]+)(?:\/(\d{1,2}))?$/.exec(text) ?? [];
	if (!isIpv4(start) || !isIpv4(end) || ipv4ToNumber(start) > ipv4ToNumber(end)) return undefined;
	if (prefix === undefined) return { start, end };
	return Number(prefix) >= 1 && Number(prefix) <= 30 ? { start, end, prefix: Number(prefix) } : undefined;
}

/** `parse` gives undefined for a text that is wrong. The word "none" becomes null. */
function orNone<T>(parse: (text: string) => T | undefined, wish: string) {
	return z.string().transform((text, context) => {
		if (text === "none") return null;
		const value = parse(text);
		if (value !== undefined) return value;
		context.addIssue({ code: "custom", message: wish });
		return z.NEVER;
	});
}

const ipv4Text = (text: string) => (isIpv4(text) ? text : undefined);

function addresses(text: string): readonly string[] | undefined {
	const list = text.split(/[\s,]+/).filter((word) => word !== "");
	return list.length > 0 && list.length <= 8 && list.every(isIpv4) ? list : undefined;
}

const LEASE_WISH = "expected a time from 2m to 7d, like 1h, 30m or 3600";

/** In seconds. */
const lease = z
	.string()
	.regex(/^\d{1,6}[smhd]?$/, LEASE_WISH)
	.transform((text) => Number.parseInt(text, 10) * ({ m: 60, h: 3600, d: 86_400 }[text.slice(-1)] ?? 1))
	.refine((seconds) => seconds >= 120 && seconds <= 7 * 86_400, LEASE_WISH);

const yesOrNo = z
	.enum(["yes", "no", "1", "0", "true", "false"], "expected yes or no")
	.transform((word) => word === "yes" || word === "1" || word === "true");

function choice<const T extends readonly [string, ...string[]]>(...values: T) {
	return z.enum(values, `expected ${values.join(", ")}`);
}

export const settings = {
	interface: {
		flag: "--interface <name>",
		env: "INTERFACE",
		help: "network interface to serve (default: the one with the default route, and every wired one)",
		schema: z.string().regex(/^[^\s/]{1,32}$/, "expected the name of an interface, like eth0"),
	},
	serverIp: {
		flag: "--server-ip <address>",
		env: "SERVER_IP",
		help: "address that Pis are told (default: on each interface its own)",
		schema: ipv4,
	},
	dhcp: {
		flag: "--dhcp <mode>",
		env: "DHCP_MODE",
		help: "proxy (beside the router's DHCP), full (gives out the addresses itself), or off (default: proxy)",
		schema: choice("proxy", "full", "off"),
	},
	dhcpRange: {
		flag: "--dhcp-range <ranges>",
		env: ["DHCP_RANGE_START", "DHCP_RANGE_END"],
		help: "full: what to give out, as A-B (default: .100 to .200 of the subnet); behind a relay as C-D/24 after a comma",
		schema: ranges,
	},
	dhcpRouter: {
		flag: "--dhcp-router <address>",
		env: "DHCP_ROUTER",
		help: "full: the router that clients are told, or none (default: this machine's own, where it is in the subnet)",
		schema: orNone(ipv4Text, "expected an IPv4 address like 192.168.1.1, or none"),
	},
	dhcpDns: {
		flag: "--dhcp-dns <addresses>",
		env: "DHCP_DNS",
		help: "full: the DNS servers that clients are told, comma-separated, or none (default: this machine's own)",
		schema: orNone(addresses, "expected addresses like 192.168.1.1,9.9.9.9, or none"),
	},
	dhcpLease: {
		flag: "--dhcp-lease <time>",
		env: "DHCP_LEASE",
		help: "full: for how long an address is given, like 1h, 30m or 3600 (default: 1h)",
		schema: lease,
	},
	dhcpEverybody: {
		flag: "--dhcp-everybody",
		env: "DHCP_EVERYBODY",
		help: "full: gives addresses to all machines, not to Raspberry Pis alone",
		schema: yesOrNo,
	},
	dhcpInsist: {
		flag: "--dhcp-insist",
		env: "DHCP_INSIST",
		help: "full: gives out addresses even where another DHCP server does",
		schema: yesOrNo,
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
	writesAtOnce: {
		flag: "--writes-at-once <number>",
		env: "WRITES_AT_ONCE",
		help: "Pis that fetch an image for their disks at the same time (default: 10, which fill 1 Gbit/s with SD cards)",
		schema: z
			.string()
			.regex(/^[1-9]\d{0,2}$/, "expected a number from 1 to 999")
			.transform(Number),
		fallback: "10",
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
	netconsolePort: {
		flag: "--netconsole-port <port>",
		env: "NETCONSOLE_PORT",
		help: "UDP port to which bootloaders send their own log, where their configuration says so",
		fallback: "6666",
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
		schema: words.pipe(NewAllowedHosts.shape.hosts),
	},
	trustedProxies: {
		flag: "--trusted-proxies <addresses>",
		env: "TRUSTED_PROXIES",
		help: "reverse proxies that tell for whom they ask, and whether by https: addresses or subnets, comma-separated",
		fallback: "",
		schema: words.pipe(z.array(proxy).max(32, "expected at most 32 addresses")),
	},
	catalogUrl: {
		flag: "--catalog-url <url>",
		env: "CATALOG_URL",
		help: "the list of images to choose from, as Raspberry Pi Imager reads it",
		fallback: CATALOG_URL,
		schema: z.url({ protocol: /^https?$/, error: "expected an address that begins with http:// or https://" }),
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

/**
 * All settings of `serve`, checked. Those without a default are missing when nobody gave them: those of the network may be
 * stored too. Folders are absolute.
 */
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
	return read(Object.entries<Setting>(settings), flags, env) as unknown as Config;
}

/**
 * Some of the settings, for a command that asks a server which runs with them.
 *
 * @throws ConfigError
 */
export function readSettings<K extends Key>(
	keys: readonly K[],
	flags: Readonly<Record<string, unknown>>,
	env: NodeJS.ProcessEnv,
): Pick<Config, K> {
	const chosen = keys.map((key) => [key, settings[key]] as const);
	return read(chosen, flags, env) as unknown as Pick<Config, K>;
}

/** Every value went through its own schema, and those with a default cannot be missing. */
function read(
	chosen: readonly (readonly [key: string, setting: Setting])[],
	flags: Readonly<Record<string, unknown>>,
	env: NodeJS.ProcessEnv,
): Readonly<Record<string, unknown>> {
	const problems: string[] = [];
	const values: Record<string, unknown> = {};
	const names: Record<string, string> = {};
	for (const [key, setting] of chosen) {
		const given = givenText(key, setting, flags, env);
		if (given === undefined) continue;
		names[key] = given.from;
		const result = setting.schema.safeParse(given.text);
		if (result.success) values[key] = result.data;
		else problems.push(`${given.from} "${given.text}": ${result.error.issues[0]?.message ?? "not understood"}`);
	}
	problems.push(...samePorts(values, names));
	if (problems.length > 0) throw new ConfigError(problems);
	return values;
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
	const name = setting.flag.split(" ")[0] ?? key;
	if (typeof flag === "string") return { text: flag, from: name };
	// A flag without a value.
	if (flag === true) return { text: "yes", from: name };
	const { env: variables, fallback } = setting;
	return fromEnvironment(variables, env) ?? (fallback === undefined ? undefined : { text: fallback, from: name });
}

function fromEnvironment(names: Setting["env"], env: NodeJS.ProcessEnv): Given | undefined {
	if (typeof names === "string") {
		const text = env[names]?.trim() ?? "";
		return text === "" ? undefined : { text, from: names };
	}
	const ends = names.map((name) => env[name]?.trim() ?? "");
	// One end alone is given too: what is missing is then said.
	return ends.every((end) => end === "") ? undefined : { text: ends.join("-"), from: names.join(" and ") };
}

/** Where programs of this machine find the page and the API: an address that stands for all of them is none to go to. */
export function ownUrl(host: string, port: number): string {
	if (isIPv6(host)) return `http://[${host === "::" ? "::1" : host}]:${port}`;
	return `http://${host === "0.0.0.0" ? "127.0.0.1" : host}:${port}`;
}

const PORTS: readonly Key[] = ["httpPort", "dhcpPort", "tftpPort", "nfsPort", "portmapPort", "netconsolePort"];

/** @param names what each value was given by. */
function samePorts(values: Readonly<Record<string, unknown>>, names: Readonly<Record<string, string>>): string[] {
	const owners = new Map<unknown, string>();
	const problems: string[] = [];
	for (const key of PORTS) {
		const [number, name = key] = [values[key], names[key]];
		const owner = owners.get(number);
		if (owner !== undefined) problems.push(`${name} ${number}: ${owner} has this port already, expected another one`);
		if (number !== undefined && number !== 0) owners.set(number, name);
	}
	return problems;
}
