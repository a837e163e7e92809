/** Which process has a port: for the sentence that tells why we cannot. Linux by `/proc`, elsewhere by `lsof`. */
import { readlink } from "node:fs/promises";
import { type InterfaceSource, systemSource } from "./interfaces.ts";

export interface PortOwner {
	readonly pid: number;
	readonly name: string;
	/** The systemd service that it runs as, such as `dnsmasq.service`. */
	readonly unit?: string;
}

export type Protocol = "udp" | "tcp";

/** What `systemSource` has, and the reading of links. */
export interface OwnerSource extends InterfaceSource {
	/** Where a symbolic link leads, or undefined when it cannot be read: other users' processes hide theirs. */
	link(path: string): Promise<string | undefined>;
}

const ownerSource: OwnerSource = { ...systemSource, link: (path) => readlink(path).catch(() => undefined) };

/** Finds the process that has the port open, or undefined when there is none that we may see. */
export async function portOwner(
	protocol: Protocol,
	port: number,
	source: OwnerSource = ownerSource,
): Promise<PortOwner | undefined> {
	if (source.platform !== "linux") return ownerByLsof(protocol, port, source);
	const inodes = new Set<string>();
	for (const table of [protocol, `${protocol}6`]) {
		for (const inode of socketsOn(port, protocol, (await source.read(`/proc/net/${table}`)) ?? "")) inodes.add(inode);
	}
	return inodes.size === 0 ? undefined : holderOf(inodes, source);
}

const TCP_LISTEN = "0A";

/**
 * The inodes of the sockets on a local port. The columns of `/proc/net/udp` are
 * sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode.
 */
export function socketsOn(port: number, protocol: Protocol, table: string): string[] {
	const hexPort = port.toString(16).toUpperCase().padStart(4, "0");
	return table
		.split("\n")
		.slice(1)
		.map((line) => line.trim().split(/\s+/))
		.filter(([, local, , state]) => local?.endsWith(`:${hexPort}`) && (protocol === "udp" || state === TCP_LISTEN))
		.flatMap((columns) => columns[9] ?? []);
}

async function holderOf(inodes: ReadonlySet<string>, source: OwnerSource): Promise<PortOwner | undefined> {
	for (const pid of (await source.list("/proc")).filter((name) => /^\d+$/.test(name))) {
		for (const descriptor of await source.list(`/proc/${pid}/fd`)) {
			const target = await source.link(`/proc/${pid}/fd/${descriptor}`);
			const inode = /^socket:\[(\d+)\]$/.exec(target ?? "")?.[1];
			if (inode === undefined || !inodes.has(inode)) continue;
			return describeProcess(pid, source);
		}
	}
	return undefined;
}

async function describeProcess(pid: string, source: OwnerSource): Promise<PortOwner> {
	const name = await programName(pid, source);
	const unit = /\/([^/\n]+\.service)$/m.exec((await source.read(`/proc/${pid}/cgroup`)) ?? "")?.[1];
	return { pid: Number(pid), name, ...(unit === undefined ? {} : { unit }) };
}

async function programName(pid: string, source: OwnerSource): Promise<string> {
	const name = (await source.read(`/proc/${pid}/comm`))?.trim() ?? "a program";
	// Node gives its main thread a name of its own. Who starts a second server should hear that there is a first.
	if (!name.startsWith("node")) return name;
	const isOurs = (await source.read(`/proc/${pid}/cmdline`))?.includes("/server/src/main.ts\0") ?? false;
	return isOurs ? "another pi-netboot" : "node";
}

async function ownerByLsof(protocol: Protocol, port: number, source: OwnerSource): Promise<PortOwner | undefined> {
	const state = protocol === "tcp" ? ["-sTCP:LISTEN"] : [];
	const text = await source.run("lsof", ["-nP", `-i${protocol.toUpperCase()}:${port}`, ...state, "-Fpc"]);
	const pid = /^p(\d+)$/m.exec(text)?.[1];
	const name = /^c(.+)$/m.exec(text)?.[1];
	return pid === undefined ? undefined : { pid: Number(pid), name: name ?? "a program" };
}
