/**
 * A switch for Pis on loopback. A server answers each of them by itself there; on a cable its answers are broadcasts, which
 * everybody hears. That matters to the Pi 3B, which waits for anything to come, and takes another one's answer for its own.
 */
import type { UdpPort } from "./udp.ts";

export class Segment {
	readonly #ports = new Set<UdpPort>();

	/** Lets a port hear what comes for the others, and them what comes for it. @returns what takes it out again. */
	plug(port: UdpPort): () => void {
		this.#ports.add(port);
		port.onDatagram = (datagram) => {
			for (const other of this.#ports) if (other !== port) other.hear(datagram);
		};
		return () => {
			port.onDatagram = undefined;
			this.#ports.delete(port);
		};
	}
}
