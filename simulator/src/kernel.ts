/** What happens when the kernel has started: DHCP again, then the root over NFS. */
import type { Identity } from "./board.ts";
import { type NfsRootOptions, parseNfsRoot } from "./cmdline.ts";
import { announceLinux, KERNEL, KLIBC, type LinuxDhcpStyle, type LinuxDhcpTiming, linuxDhcp } from "./dhcp-linux.ts";
import { BootError } from "./errors.ts";
import { MOUNT_PROGRAM, MOUNT_V3, mountRoot, pingMount } from "./mount.ts";
import type { Network } from "./network.ts";
import { NFS_PROGRAM, NFS_V3, NfsClient, type NfsTiming } from "./nfs.ts";
import { NfsRoot } from "./nfs-root.ts";
import type { Failure, Play } from "./plays.ts";
import { getPort } from "./portmap.ts";
import type { Journal, OsRelease } from "./report.ts";
import type { Credential } from "./rpc.ts";
import { type Caller, failed, TcpCaller, UdpCaller } from "./rpc-client.ts";

export interface KernelTiming {
	readonly dhcp: LinuxDhcpTiming;
	readonly nfs: NfsTiming;
	/** Milliseconds for an RPC call. */
	readonly call: number;
	/** Milliseconds until a call over UDP is sent again, and until it is given up. */
	readonly udpRetry: number;
	readonly udpCall: number;
}

export interface KernelOptions {
	readonly identity: Identity;
	readonly network: Network;
	readonly journal: Journal;
	readonly timing: KernelTiming;
	readonly cmdline: string;
	/** Whether an initramfs was loaded: then its programs do the work, and the kernel does not look at `nfsroot=`. */
	readonly hasInitramfs: boolean;
	readonly play?: Play | undefined;
	readonly signal: AbortSignal | undefined;
}

/** What was found in the root. */
export interface RootFindings {
	readonly osRelease: OsRelease;
	readonly hostname: string | undefined;
	readonly entries: readonly string[];
}

const RSIZE = 65536;
const TTL = 64;
const ROOT: Credential = { machine: "raspberrypi", uid: 0, gid: 0 };

/** ACCESS3_READ and ACCESS3_LOOKUP. */
const READ_AND_LOOKUP = 0x3;

export async function bootKernel(options: KernelOptions): Promise<RootFindings> {
	const { play, journal } = options;
	if (play?.failure === "dead-kernel") return journal.hang("kernel", "it does not start");
	await kernelDhcp(options);
	if (play?.failure === "no-nfs") return journal.hang("nfs", "nothing comes from the NFS server");
	return new RootMount(options).run();
}

function kernelDhcp(options: KernelOptions): Promise<void> {
	return leaseAgain(options, options.hasInitramfs ? KLIBC : KERNEL);
}

/** What a system does that does not know of the address that it was started with. */
export function systemDhcp(options: KernelOptions, style: LinuxDhcpStyle): Promise<void> {
	return leaseAgain(options, style);
}

async function leaseAgain({ identity, network, journal, timing }: KernelOptions, style: LinuxDhcpStyle): Promise<void> {
	const port = await network.openDhcp(TTL);
	const onStep = (detail: string) => journal.step(style.identity === undefined ? style.name : "system", detail);
	const dhcp = { port, mac: identity.mac, style, timing: timing.dhcp, onStep };
	if (!network.needsLease) {
		announceLinux(dhcp);
		await port.close();
		return;
	}
	const lease = await linuxDhcp(dhcp).finally(() => port.close());
	await network.configure(lease);
	journal.address(network.address);
}

class RootMount {
	readonly #options: KernelOptions;
	readonly #where: NfsRootOptions;

	constructor(options: KernelOptions) {
		this.#options = options;
		this.#where = parseNfsRoot(options.cmdline, options.hasInitramfs ? "klibc" : "kernel");
	}

	#plays(failure: Failure): boolean {
		return this.#options.play?.failure === failure;
	}

	async run(): Promise<RootFindings> {
		if (this.#plays("portmap-only")) await this.#stopAtPortmapper();
		const { mount, nfs } = await this.#ports();
		const handle = await this.#mount(mount);
		const { server } = this.#where;
		const caller = await this.#connect("NFS", nfs);
		try {
			return await this.#look(caller, handle);
		} catch (error) {
			throw failed(`NFS at ${server}:${nfs}`, error);
		} finally {
			await caller.close();
		}
	}

	/** The kernel asks the port mapper for what `port=` and `mountport=` do not say, nfsmount for MOUNT always. */
	async #ports(): Promise<{ mount: number; nfs: number }> {
		const { nfsPort, mountPort } = this.#where;
		const mount = this.#options.hasInitramfs ? undefined : mountPort;
		return {
			mount: mount ?? (await this.#askPort("MOUNT", MOUNT_PROGRAM, MOUNT_V3)),
			nfs: nfsPort ?? (await this.#askPort("NFS", NFS_PROGRAM, NFS_V3)),
		};
	}

	async #stopAtPortmapper(): Promise<never> {
		await this.#askPort("MOUNT", MOUNT_PROGRAM, MOUNT_V3);
		return this.#options.journal.hang("nfs", "nothing comes from the NFS server");
	}

	async #askPort(name: string, program: number, version: number): Promise<number> {
		const { network, journal } = this.#options;
		const { server } = this.#where;
		const portmap = network.ports.portmap;
		const port = await this.#getPort(program, version).catch((error: unknown) => {
			throw failed(`the port mapper at ${server}:${portmap}, asked for ${name}`, error);
		});
		journal.step("portmap", port === 0 ? `${name} is not registered` : `${name} is on TCP port ${port}`);
		if (port === 0) throw new BootError(`${name} over TCP is not available from ${server}, says its port mapper`);
		return port;
	}

	/** Over UDP, then over TCP. */
	async #getPort(program: number, version: number): Promise<number> {
		const { network, timing } = this.#options;
		const { server } = this.#where;
		const port = network.ports.portmap;
		const socket = await network.udp(0, TTL);
		const udp = new UdpCaller({ socket, server, port, retry: timing.udpRetry, timeout: timing.udpCall });
		try {
			return await getPort(udp, program, version);
		} catch (error) {
			this.#options.journal.step("portmap", `${error instanceof Error ? error.message : error}; now over TCP`);
		} finally {
			await udp.close();
		}
		const tcp = await this.#connect("the port mapper", port);
		return getPort(tcp, program, version).finally(() => tcp.close());
	}

	async #connect(name: string, port: number): Promise<Caller> {
		const { network, timing, signal } = this.#options;
		const { server } = this.#where;
		try {
			return new TcpCaller(await network.tcp(server, port), timing.call, signal);
		} catch (error) {
			throw failed(`${name} at ${server}:${port}`, error);
		}
	}

	async #mount(port: number): Promise<Buffer> {
		const { server } = this.#where;
		const path = this.#plays("old-root") ? otherPath(this.#where.path) : this.#where.path;
		const caller = await this.#connect("MOUNT", port);
		try {
			await pingMount(caller);
			const handle = await mountRoot(caller, path, ROOT);
			this.#options.journal.step("mount", `${server}:${path}`);
			return handle;
		} catch (error) {
			throw failed(`MOUNT at ${server}:${port}`, error);
		} finally {
			await caller.close();
		}
	}

	/** What Linux asks when it mounts, then what somebody would who logs in. */
	async #look(caller: Caller, handle: Buffer): Promise<RootFindings> {
		const { journal, timing } = this.#options;
		const client = new NfsClient(caller, ROOT, timing.nfs);
		await client.ping();
		const { rtmax } = await client.fsinfo(handle);
		await client.pathconf(handle);
		const acl = await client.hasAcl();
		journal.step(
			"nfs",
			`mounted${this.#where.readWrite ? " read-write" : ""}, rtmax ${rtmax}${acl ? ", with ACLs" : ""}`,
		);
		if ((await client.access(handle, READ_AND_LOOKUP)) !== READ_AND_LOOKUP) {
			throw new BootError("root may not read its own root directory");
		}
		if (this.#plays("no-init")) return journal.hang("nfs", "there is no init that would run");
		const root = new NfsRoot(client, handle, Math.min(this.#where.rsize ?? RSIZE, rtmax));
		const entries = await root.list("/");
		journal.step("nfs", `/ holds ${entries.length} names`);
		if (this.#plays("reboots")) throw new BootError("the system ends, and the Pi starts again");
		const release = await root.readFile("/etc/os-release");
		if (release === undefined) throw new BootError("the root has no /etc/os-release");
		const hostname = (await root.readFile("/etc/hostname"))?.toString().trim();
		const osRelease = parseOsRelease(release.toString());
		journal.step("nfs", `${osRelease.PRETTY_NAME ?? "an unnamed system"}${hostname ? ` as ${hostname}` : ""}`);
		return { osRelease, hostname, entries };
	}
}

/** A path of the same shape that nobody was given. */
function otherPath(path: string): string {
	return `${path.slice(0, -1)}${path.endsWith("0") ? "1" : "0"}`;
}

/** os-release(5): assignments as a shell takes them. */
export function parseOsRelease(text: string): OsRelease {
	const values: Record<string, string> = {};
	for (const line of text.split("\n")) {
		const [, name, value = ""] = /^\s*([A-Z0-9_]+)=(.*?)\s*$/.exec(line) ?? [];
		if (name !== undefined) values[name] = value.replace(/^(["'])(.*)\1$/, "$2").replace(/\\(["'$`\\])/g, "$1");
	}
	return values;
}
