/** Asks the LAN of an interface which DHCP servers it has. */
import type { Socket } from "node:dgram";
import { type Clock, errorText, isNetbootError, settleSeries } from "../base/index.ts";
import {
	type DhcpPacket,
	decodePacket,
	encodePacket,
	IPV4_ANY,
	IPV4_BROADCAST,
	type LanOffer,
	lanProbe,
	readLanOffer,
} from "../wire/dhcp/index.ts";
import { bindUdp, closeUdp, sendUdp } from "./udp.ts";

export type LanAnswer =
	| { readonly kind: "asked"; readonly offers: readonly LanOffer[] }
	/** It was not possible; `reason` says why, for the page. */
	| { readonly kind: "not-asked"; readonly reason: string };

export interface LanQuestion {
	/** Our address on the interface whose LAN is asked. */
	readonly address: string;
	readonly clock: Clock;
	/** How long to wait for answers, in milliseconds. */
	readonly patience?: number;
	/** Ends the waiting early, with the answers that came until then. */
	readonly signal?: AbortSignal;
	readonly serverPort?: number;
	readonly clientPort?: number;
	/** Where to send the question; everybody, unless a test says otherwise. */
	readonly destination?: string;
}

/** dnsmasq, which most home routers are, pings the address for three seconds before it offers it. */
const PATIENCE_MS = 6000;

/**
 * Sends one DISCOVER and gathers the OFFERs, one per server. Never throws for lack of rights: answers come to port 68,
 * which only root may bind.
 */
export async function askLan(question: LanQuestion): Promise<LanAnswer> {
	const port = question.clientPort ?? 68;
	const sockets: Socket[] = [];
	try {
		// Answers are broadcast, so they come to the first one; the second decides by which interface the question leaves.
		const listener = await bindUdp({ address: IPV4_ANY, port, isShared: true });
		sockets.push(listener);
		const sender = await bindUdp({ address: question.address, port, isShared: true, mayBroadcast: true });
		sockets.push(sender);
		return { kind: "asked", offers: await collect(question, sockets, sender) };
	} catch (error) {
		if (!isNetbootError(error)) throw error;
		return { kind: "not-asked", reason: errorText(error) };
	} finally {
		await settleSeries(sockets.map((socket) => () => closeUdp(socket)));
	}
}

async function collect(question: LanQuestion, sockets: readonly Socket[], sender: Socket): Promise<LanOffer[]> {
	const probe = lanProbe();
	const offers = new Map<string, LanOffer>();
	for (const socket of sockets) {
		// An error here is a datagram that could not be received; the answers that could be are what counts.
		socket.on("error", () => undefined);
		socket.on("message", (bytes) => {
			const offer = readQuietly(bytes, probe);
			if (offer !== undefined && offers.size < MAX_SERVERS) offers.set(offer.server, offer);
		});
	}
	await sendUdp(sender, encodePacket(probe), question.serverPort ?? 67, question.destination ?? IPV4_BROADCAST);
	await patienceOf(question);
	return [...offers.values()];
}

function patienceOf({ clock, patience, signal }: LanQuestion): Promise<void> {
	return new Promise((resolve) => {
		if (signal?.aborted) return resolve();
		const timer = clock.after(patience ?? PATIENCE_MS, resolve);
		signal?.addEventListener("abort", () => {
			timer.cancel();
			resolve();
		});
	});
}

/** More DHCP servers than this are not a LAN but an attack. */
const MAX_SERVERS = 16;

/** Port 68 hears everybody's answers; those that are broken or not for us are nobody's business here. */
function readQuietly(bytes: Buffer, probe: DhcpPacket): LanOffer | undefined {
	try {
		return readLanOffer(decodePacket(bytes), probe);
	} catch (error) {
		if (!isNetbootError(error)) throw error;
		return undefined;
	}
}
