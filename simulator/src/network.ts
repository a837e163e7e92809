/** What a virtual Pi is plugged into. Two of them: loopback.ts and wired.ts. */
import type { Socket } from "node:net";
import type { UdpPort } from "./udp.ts";

export interface ServerPorts {
	readonly dhcp: number;
	readonly tftp: number;
	readonly portmap: number;
	readonly nfs: number;
}

export const STANDARD_PORTS: ServerPorts = { dhcp: 67, tftp: 69, portmap: 111, nfs: 2049 };

/** What a DHCP server gave. */
export interface Lease {
	readonly address: string;
	readonly mask: string;
	readonly router: string | undefined;
}

/** Where netconsole sends from, and to. */
export const NETCONSOLE_PORTS = { from: 6665, to: 6666 };

/** A socket from which DISCOVER and REQUEST go out, or the bootloader's log. */
export interface DhcpPort {
	readonly socket: UdpPort;
	/** Where to: the broadcast address, or the one server of the loopback. */
	readonly address: string;
	readonly port: number;
	close(): Promise<void>;
}

export interface Network {
	readonly ports: ServerPorts;
	/** Whether an address must be leased first. On loopback each Pi has one of its own from the start. */
	readonly needsLease: boolean;
	/** The address of the Pi, once it has one. */
	readonly address: string | undefined;
	/** @param ttl what the IP header of the model's firmware says. */
	openDhcp(ttl: number): Promise<DhcpPort>;
	/** Takes the address of a lease, in place of the one before. */
	configure(lease: Lease): Promise<void>;
	/** Whether the Pi says which MAC its address belongs to when somebody asks (ARP). It does until it is told otherwise. */
	answerArp(answers: boolean): Promise<void>;
	/** A UDP socket on the Pi's address. A port that is taken, or one that this network does not give, becomes another one. */
	udp(port: number, ttl: number): Promise<UdpPort>;
	/** Opens what the bootloader's log goes out by, once the Pi has an address. */
	openNetconsole(): Promise<DhcpPort>;
	/** Connects to the server, from a port below 1024 where this network has them. */
	tcp(server: string, port: number): Promise<Socket>;
	/** Pulls the cable. */
	close(): Promise<void>;
}
