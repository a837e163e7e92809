/** The questions of `pi-netboot doctor` and their answers. */
import { accessSync, constants, existsSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import type { Health } from "@pi-netboot/api";
import { errorText, isNetbootError, systemClock } from "../base/index.ts";
import type { Config } from "../config.ts";
import { isImageName } from "../images/index.ts";
import {
	adviseOnListenError,
	askLan,
	bindError,
	bindUdp,
	chooseInterfaces,
	closeUdp,
	listInterfaces,
	type Protocol,
	portOwner,
	type ServedInterface,
} from "../net/index.ts";
import { call } from "./client.ts";

export interface Finding {
	/** `bad` keeps Pis from booting; a `note` does not. */
	readonly verdict: "good" | "note" | "bad";
	readonly subject: string;
	readonly message: string;
	/** Any one of these helps. */
	readonly commands: readonly string[];
}

export interface ExaminationOptions {
	/** Whether to ask the network which DHCP servers it has; that sends one DISCOVER. */
	readonly askLan: boolean;
}

/** Looks at everything that has to be right; in the order in which a boot needs it. */
export async function examine(config: Config, options: ExaminationOptions): Promise<Finding[]> {
	const served = chooseInterfaces(await listInterfaces(), { interface: config.interface, serverIp: config.serverIp });
	const running = await runningServer(config);
	return [
		networkFinding(config, served),
		...(await lanFindings(config, served, options)),
		...(await portFindings(config, running)),
		imagesFinding(config.imagesDir),
		dataFinding(config.dataDir),
	];
}

function finding(
	verdict: Finding["verdict"],
	subject: string,
	message: string,
	commands: readonly string[] = [],
): Finding {
	return { verdict, subject, message, commands };
}

function networkFinding(config: Config, served: readonly ServedInterface[]): Finding {
	const [first] = served;
	if (first === undefined) {
		const wanted = config.interface ?? config.serverIp;
		const message = wanted === undefined ? "no interface has an IPv4 address" : `no interface fits ${wanted}`;
		return finding("bad", "network", message, ["ip -4 address"]);
	}
	const names = served.map(({ interface: { name, kind }, address }) => `${address} on ${name} (${kind})`);
	if (first.interface.kind !== "loopback") return finding("good", "network", names.join(", "));
	return finding("note", "network", `only ${names.join(", ")}: virtual Pis can boot, real ones not`);
}

async function lanFindings(
	config: Config,
	served: readonly ServedInterface[],
	{ askLan: wanted }: ExaminationOptions,
): Promise<Finding[]> {
	if (!wanted) return [];
	const lans = served.filter((one) => one.interface.kind !== "loopback");
	return Promise.all(lans.map(({ interface: { name }, address }) => lanFinding(config, name, address)));
}

async function lanFinding({ dhcp, dhcpInsist }: Config, name: string, address: string): Promise<Finding> {
	const answer = await askLan({ address, clock: systemClock });
	if (answer.kind === "not-asked") {
		return finding("note", "dhcp", `${name}: other DHCP servers could not be looked for: ${answer.reason}`);
	}
	const others = answer.offers.map(({ server, isBootServer }) => (isBootServer ? `${server} (boots, too)` : server));
	const gives = dhcp === "full" && dhcpInsist !== true;
	if (others.length === 0) {
		return gives
			? finding("good", "dhcp", `${name}: no other DHCP server answers, so this one can give out addresses`)
			: finding(
					"note",
					"dhcp",
					`${name}: no DHCP server answers: Pis need one there, as your router has, or --dhcp full`,
				);
	}
	return gives
		? finding("note", "dhcp", `${name}: --dhcp full is refused beside the DHCP server ${others.join(", ")}`)
		: finding("good", "dhcp", `${name}: DHCP servers that answer: ${others.join(", ")}`);
}

/** What the server says, if one runs with these settings. */
async function runningServer({ httpPort }: Config): Promise<Health | undefined> {
	try {
		return await call({ url: `http://127.0.0.1:${httpPort}`, token: undefined }, "getHealth");
	} catch (error) {
		// That none runs is the usual case here.
		if (!isNetbootError(error)) throw error;
		return undefined;
	}
}

interface Wanted {
	readonly service: string;
	readonly name: keyof Health["services"] | "http";
	readonly protocol: Protocol;
	readonly port: number;
}

async function portFindings(config: Config, running: Health | undefined): Promise<Finding[]> {
	const wanted: Wanted[] = [
		{ service: "DHCP", name: "dhcp", protocol: "udp", port: config.dhcpPort },
		{ service: "TFTP", name: "tftp", protocol: "udp", port: config.tftpPort },
		{ service: "NFS", name: "nfs", protocol: "tcp", port: config.nfsPort },
		{ service: "portmapper", name: "portmap", protocol: "tcp", port: config.portmapPort },
		{ service: "page and API", name: "http", protocol: "tcp", port: config.httpPort },
	];
	const needed = wanted.filter(({ name }) => name !== "dhcp" || config.dhcp !== "off");
	return Promise.all(needed.map((one) => portFinding(one, running)));
}

async function portFinding(wanted: Wanted, running: Health | undefined): Promise<Finding> {
	const { service, protocol, port } = wanted;
	if (isOurs(wanted, running))
		return finding("good", "port", `${service}: the running server has ${protocol} port ${port}`);
	try {
		await tryPort(protocol, port);
		return finding("good", "port", `${service}: ${protocol} port ${port} can be had`);
	} catch (error) {
		const owner = await portOwner(protocol, port);
		if (wanted.name === "portmap" && owner?.name === "rpcbind") {
			return finding("good", "port", `${service}: rpcbind has ${protocol} port ${port}; the server registers with it`);
		}
		const { message, commands } = await adviseOnListenError({ service, protocol, port, error });
		// Only an initramfs asks the portmapper.
		return finding(wanted.name === "portmap" ? "note" : "bad", "port", message, commands);
	}
}

function isOurs({ name, port }: Wanted, running: Health | undefined): boolean {
	if (running === undefined) return false;
	return name === "http" || (running.services[name].state === "running" && running.services[name].port === port);
}

async function tryPort(protocol: Protocol, port: number): Promise<void> {
	if (protocol === "udp") return closeUdp(await bindUdp({ address: "0.0.0.0", port }));
	const server = createServer();
	await new Promise<void>((resolve, reject) => {
		server.once("error", (error) => reject(bindError("tcp", "0.0.0.0", port, error)));
		server.listen({ host: "0.0.0.0", port, exclusive: true }, () => server.close(() => resolve()));
	});
}

function imagesFinding(folder: string): Finding {
	if (!existsSync(folder)) return finding("note", "images", `${folder} is not there yet; the first start makes it`);
	try {
		const names = imagesIn(folder);
		if (names.length > 0) return finding("good", "images", `${folder}: ${names.join(", ")}`);
		return finding("note", "images", `${folder} holds no image yet`, [`cp raspios.img ${folder}/`]);
	} catch (error) {
		return finding("bad", "images", `${folder} cannot be read: ${errorText(error)}`);
	}
}

/** `images/X.img` and `images/NAME/X.img`. */
function imagesIn(folder: string): string[] {
	return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
		if (!entry.isDirectory()) return isImageName(entry.name) ? [entry.name] : [];
		const inside = readdirSync(`${folder}/${entry.name}`).filter(isImageName);
		return inside.map((name) => `${entry.name}/${name}`);
	});
}

/** Before the first start it is the folder above that has to be writable. */
function dataFinding(folder: string): Finding {
	const place = existsSync(folder) ? folder : dirname(folder);
	try {
		if (!statSync(place).isDirectory()) return finding("bad", "data", `${place} is no folder`);
		accessSync(place, constants.W_OK | constants.X_OK);
		return finding("good", "data", folder === place ? `${folder} is writable` : `${folder} can be made`);
	} catch (error) {
		// Of the folder alone: what lies around it is not ours to give away.
		const fix = `sudo install -d -o "$USER" -m 700 '${folder}'`;
		return finding("bad", "data", `${place} is not writable: ${errorText(error)}`, [fix]);
	}
}
