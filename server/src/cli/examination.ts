/** The questions of `pi-netboot doctor` and their answers. */
import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import type { Health } from "@pi-netboot/api";
import { errorText, isNetbootError, shellQuote, systemClock } from "../base/index.ts";
import { type Config, ownUrl } from "../config.ts";
import { findImages } from "../images/index.ts";
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
import { IPV4_ANY } from "../wire/dhcp/index.ts";
import { call } from "./client.ts";
import { type Finding, finding } from "./finding.ts";
import { networkFinding } from "./network-finding.ts";
import { sizeText } from "./sizes.ts";
import { withStoredNetwork } from "./stored-network.ts";

export interface ExaminationOptions {
	/** Whether to ask the network which DHCP servers it has; that sends one DISCOVER. */
	readonly askLan: boolean;
}

/** Looks at everything that has to be right; in the order in which a boot needs it. */
export async function examine(given: Config, options: ExaminationOptions): Promise<Finding[]> {
	const running = await runningServer(given);
	const { config, notes } = await withStoredNetwork(given, running !== undefined);
	const served = chooseInterfaces(await listInterfaces(), { interface: config.interface, serverIp: config.serverIp });
	return [
		...notes.map((note) => finding("note", "settings", note)),
		await networkFinding(config, served),
		...(await lanFindings(config, served, options)),
		...(await portFindings(config, running)),
		await imagesFinding(config.imagesDir),
		dataFinding(config.dataDir),
	];
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
	const givesAddresses = answer.offers.some(({ offered }) => offered !== IPV4_ANY);
	const answering = others.length === 0 ? "no DHCP server answers" : `DHCP servers that answer: ${others.join(", ")}`;
	if (dhcp === "full") return finding("good", "dhcp", `${name}: ${answering}; ${fullMode(givesAddresses, dhcpInsist)}`);
	if (givesAddresses) return finding("good", "dhcp", `${name}: ${answering}`);
	return finding(
		"note",
		"dhcp",
		`${name}: ${answering}; Pis need one that gives addresses, as your router has, or --dhcp full`,
	);
}

/** What full mode would do in a network. */
function fullMode(givesAddresses: boolean, insists: boolean | undefined): string {
	if (!givesAddresses) return "this server gives out addresses there";
	return insists === true
		? "this server gives out addresses there all the same, as it was told"
		: "this server is a proxy there, though --dhcp full was asked for";
}

/** What the server says, if one runs with these settings. */
async function runningServer({ httpHost, httpPort }: Config): Promise<Health | undefined> {
	try {
		return await call({ url: ownUrl(httpHost, httpPort), token: undefined }, "getHealth");
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
		{ service: "netconsole", name: "netconsole", protocol: "udp", port: config.netconsolePort },
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
		// Only an initramfs asks the portmapper, and only a bootloader that was told to talks to the netconsole.
		return finding(
			wanted.name === "portmap" || wanted.name === "netconsole" ? "note" : "bad",
			"port",
			message,
			commands,
		);
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

async function imagesFinding(folder: string): Promise<Finding> {
	if (!existsSync(folder)) return finding("note", "images", `${folder} is not there yet; the first start makes it`);
	try {
		const names = (await findImages(folder)).map(({ name }) => name);
		if (names.length > 0) return finding("good", "images", `${folder}: ${names.join(", ")}`);
		return finding("note", "images", `${folder} holds no image yet`, [`cp raspios.img ${folder}/`]);
	} catch (error) {
		return finding("bad", "images", `${folder} cannot be read: ${errorText(error)}`);
	}
}

/** Bytes: with less there is no place for what Pis write, nor for a database. */
const LEAST_ROOM = 64 << 20;

/** Before the first start it is the folder above that has to be writable. */
function dataFinding(folder: string): Finding {
	const place = existsSync(folder) ? folder : dirname(folder);
	try {
		if (!statSync(place).isDirectory()) return finding("bad", "data", `${place} is no folder`);
		accessSync(place, constants.W_OK | constants.X_OK);
		const { bavail, bsize } = statfsSync(place);
		const room = `${sizeText(bavail * bsize)} free`;
		if (bavail * bsize < LEAST_ROOM) return finding("bad", "data", `the disk of ${place} is full: ${room}`, ["df -h"]);
		return finding("good", "data", `${folder} ${folder === place ? "is writable" : "can be made"}, ${room}`);
	} catch (error) {
		// Of the folder alone: what lies around it is not ours to give away.
		const fix = `sudo install -d -o "$USER" -m 700 ${shellQuote(folder)}`;
		return finding("bad", "data", `${place} is not writable: ${errorText(error)}`, [fix]);
	}
}
