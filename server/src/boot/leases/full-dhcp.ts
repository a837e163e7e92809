/** Full DHCP: what is answered to a message of a client that we serve. RFC 2131 section 4.3. */
import type { Clock, Logger } from "../../base/index.ts";
import type { DhcpReply, DhcpSender, Neighbour, Told } from "../../net/index.ts";
import {
	addressOption,
	CONSTANT_XID,
	type DhcpPacket,
	IPV4_ANY,
	IPV4_BROADCAST,
	informReply,
	type LeaseTerms,
	leaseReply,
	MessageType,
	messageType,
	nakReply,
	OptionCode,
	offerDelays,
	type PiClient,
	proxyOffer,
	requestState,
} from "../../wire/dhcp/index.ts";
import { Said } from "../said.ts";
import type { Lease } from "./lease-book.ts";
import type { LeaseKeeper } from "./lease-keeper.ts";
import { RomSlots } from "./rom-slots.ts";
import { type DhcpSettings, type DhcpSubnet, isIn } from "./settings.ts";

/** Who asks. */
export interface Asker {
	readonly mac: string;
	readonly hostName?: string | undefined;
	/** The firmware of a Pi that shall boot from us. */
	readonly boot?: PiClient | undefined;
}

export interface FullDhcpParts {
	readonly keeper: LeaseKeeper;
	readonly clock: Clock;
	readonly log: Logger;
	/** Tells the kernel who is going to have an address. */
	tellNeighbour(neighbour: Neighbour): Promise<Told>;
	/** A client has this address from us now. */
	given(asker: Asker, address: string): void;
	/** A client took the address of another DHCP server. */
	otherServer(address: string, mac: string): void;
}

type Replies = Promise<readonly DhcpReply[]>;

const NOTHING: readonly DhcpReply[] = [];

/** Forged requests cannot start more programs than this at a time; who comes in between asks again. */
const MOST_TELLING = 64;

/** What a client may ask for in option 51, in seconds: shorter ones would have it ask all the time. */
const SHORTEST_LEASE = 120;

export class FullDhcp {
	readonly #parts: FullDhcpParts;
	readonly #said = new Said();
	readonly #slots: RomSlots;
	/** How many are being told to the kernel: each is a program that runs. */
	#telling = 0;
	settings: DhcpSettings;

	constructor(parts: FullDhcpParts, settings: DhcpSettings) {
		this.#parts = parts;
		this.settings = settings;
		this.#slots = new RomSlots(parts.clock);
	}

	/** The subnets that a message can be about: a broadcast may come from any that is near. */
	#subnetsFor(packet: DhcpPacket, sender: DhcpSender): readonly DhcpSubnet[] {
		const { subnets } = this.settings;
		if (packet.giaddr !== IPV4_ANY) {
			const found = subnets.filter((subnet) => isIn(subnet, packet.giaddr));
			if (found.length === 0 && subnets.length > 0) this.#unknownRelay(packet.giaddr);
			return found;
		}
		const holding = subnets.filter((subnet) => packet.ciaddr !== IPV4_ANY && isIn(subnet, packet.ciaddr));
		if (holding.length > 0) return holding;
		const { servedAddress } = sender;
		return subnets.filter(
			(subnet) =>
				subnet.interface !== undefined && (servedAddress === undefined || subnet.serverAddress === servedAddress),
		);
	}

	#unknownRelay(giaddr: string): void {
		if (!this.#said.isNew("relay", giaddr)) return;
		this.#parts.log.warn(
			`a relay at ${giaddr} asks for addresses in a subnet that has no range: add one, like --dhcp-range A-B/24`,
		);
	}

	/** Answers a message of a client that we serve. @throws MalformedError; what the store throws. */
	async answer(packet: DhcpPacket, sender: DhcpSender, asker: Asker): Replies {
		const subnets = this.#subnetsFor(packet, sender);
		switch (messageType(packet)) {
			case MessageType.DISCOVER:
				return (await Promise.all(subnets.map((subnet) => this.#discover(packet, subnet, asker)))).flat();
			case MessageType.REQUEST:
				return this.#request(packet, sender, subnets, asker);
			case MessageType.DECLINE:
				return this.#decline(packet, asker);
			case MessageType.RELEASE:
				return this.#release(packet, sender, asker);
			case MessageType.INFORM:
				return subnets
					.filter((subnet) => isIn(subnet, packet.ciaddr))
					.map((subnet) => this.#inform(packet, subnet, asker));
			default:
				return NOTHING;
		}
	}

	async #discover(packet: DhcpPacket, subnet: DhcpSubnet, asker: Asker): Replies {
		const { keeper, clock } = this.#parts;
		const { mac, boot } = asker;
		const isRom = boot?.generation === "mask-rom";
		if (isRom && !this.#slots.isFree(mac)) return NOTHING;
		const began = clock.monotonic();
		const isBinding = boot !== undefined && boot.generation !== "eeprom";
		const requested = addressOption(packet, OptionCode.REQUESTED_IP_ADDRESS);
		const lease = await keeper.offer(mac, subnet, { requested, isBinding });
		if (lease === null) return this.#withoutAddress(packet, subnet, boot);
		if (lease === undefined) return NOTHING;
		if (this.#telling >= MOST_TELLING) return NOTHING;
		const way = await this.#wayTo(packet, subnet, asker, lease);
		if (way === "held") {
			await keeper.lose(mac, lease.address);
			return NOTHING;
		}
		if (isBinding) this.#parts.given(asker, lease.address);
		const reply = leaseReply(packet, MessageType.OFFER, lease.address, this.#terms(packet, subnet, asker));
		const addressed = way === "alone" ? { ...reply, flags: packet.flags } : reply;
		const to = way === "alone" ? lease.address : undefined;
		const took = clock.monotonic() - began;
		const delays = boot === undefined ? [0] : offerDelays(boot);
		return delays.map((delay) => fromSubnet(subnet, addressed, Math.max(0, delay - took), to));
	}

	/**
	 * Where none is left, a Pi may have an address from another DHCP server, and is told where to boot from as a proxy would tell
	 * it; without such a server it goes on asking, as it would anyway. Not what a ROM asks: others take what is meant for it.
	 */
	#withoutAddress(packet: DhcpPacket, subnet: DhcpSubnet, boot: PiClient | undefined): readonly DhcpReply[] {
		if (boot === undefined || boot.generation === "mask-rom" || packet.xid === CONSTANT_XID) return NOTHING;
		const offer = proxyOffer(packet, boot, subnet.serverAddress);
		return offerDelays(boot).map((delay) => fromSubnet(subnet, offer, delay));
	}

	/**
	 * The ROM of a Pi 3B takes every OFFER under its xid, whoever it is for, also before we have read its own question. So each
	 * OFFER with this xid goes to its MAC address alone, where we may tell the kernel where that is. Otherwise one 3B comes
	 * after the other. `held`: another who was offered this address uses it by now.
	 */
	async #wayTo(
		packet: DhcpPacket,
		subnet: DhcpSubnet,
		{ mac, boot }: Asker,
		{ address }: Lease,
	): Promise<"alone" | "to all" | "held"> {
		const isRom = boot?.generation === "mask-rom";
		const isOverheard = isRom || packet.xid === CONSTANT_XID;
		if (packet.giaddr !== IPV4_ANY || subnet.interface === undefined || !isOverheard) return "to all";
		this.#telling++;
		const told = await this.#parts
			.tellNeighbour({ address, mac, interface: subnet.interface })
			.finally(() => this.#telling--);
		if (told === "told") return "alone";
		if (told === "held") return "held";
		if (isRom) this.#oneAfterTheOther(mac);
		return "to all";
	}

	#oneAfterTheOther(mac: string): void {
		this.#slots.take(mac);
		if (!this.#said.isNew("rom", "broadcast")) return;
		this.#parts.log.warn(
			"Pi 3Bs that start at the same moment take each other's address: power them on one after the other. As root the server could tell them apart",
		);
	}

	#terms(packet: DhcpPacket, subnet: DhcpSubnet, { boot, hostName }: Asker): LeaseTerms {
		const { serverAddress, netmask, dns } = subnet;
		// Behind a relay the relay is the router, as far as anybody knows.
		const router = subnet.interface === undefined && packet.giaddr !== IPV4_ANY ? packet.giaddr : subnet.router;
		return { serverAddress, netmask, router, dns, hostName, boot, leaseSeconds: this.#seconds(packet) };
	}

	/** For how long: what the client asks for (option 51), but not longer than set. */
	#seconds(packet: DhcpPacket): number {
		const { leaseSeconds } = this.settings;
		const asked = packet.options.get(OptionCode.LEASE_TIME);
		if (asked?.length !== 4) return leaseSeconds;
		return Math.min(leaseSeconds, Math.max(SHORTEST_LEASE, asked.readUInt32BE(0)));
	}

	async #request(packet: DhcpPacket, sender: DhcpSender, subnets: readonly DhcpSubnet[], asker: Asker): Replies {
		const state = requestState(packet);
		if (state === undefined) return NOTHING;
		switch (state.kind) {
			case "selecting":
				return this.#selecting(packet, state, subnets, asker);
			case "init-reboot":
				return this.#initReboot(packet, state.address, subnets, asker);
			case "extending": {
				const subnet = subnets.find((one) => isIn(one, state.address));
				// RENEWING asks us alone and from its address, REBINDING everybody.
				const isAlone = sender.servedAddress !== undefined && isFrom(packet, sender);
				return subnet === undefined ? NOTHING : this.#extending(packet, subnet, asker, isAlone);
			}
		}
	}

	async #selecting(
		packet: DhcpPacket,
		{ server, address }: { readonly server: string; readonly address: string },
		subnets: readonly DhcpSubnet[],
		asker: Asker,
	): Replies {
		const own = subnets.filter(({ serverAddress }) => serverAddress === server);
		const [first] = own;
		if (first === undefined) {
			await this.#parts.keeper.withdraw(asker.mac);
			// A broadcast does not say which interface it came in on: in the networks of a proxy it is as it should be.
			const isOurs = (address: string) => this.settings.subnets.some((one) => isIn(one, address));
			if (isOurs(server) || isOurs(address)) this.#parts.otherServer(server, asker.mac);
			return NOTHING;
		}
		const subnet = own.find((one) => isIn(one, address));
		return subnet === undefined
			? [this.#nak(packet, first, asker, `${address} is not in this network`)]
			: this.#grant(packet, address, subnet, asker);
	}

	/**
	 * "If the network is correct, then the DHCP server should check if the client's notion of its IP address is correct. If
	 * not, then the server SHOULD respond with a DHCPNAK. [...] If the DHCP server has no record of this client, then it MUST
	 * remain silent."
	 */
	async #initReboot(packet: DhcpPacket, address: string, subnets: readonly DhcpSubnet[], asker: Asker): Replies {
		const subnet = subnets.find((one) => isIn(one, address));
		if (subnet === undefined) {
			return subnets.map((one) => this.#nak(packet, one, asker, `${address} is not in this network`));
		}
		const lease = this.#parts.keeper.of(asker.mac, subnet);
		if (lease === undefined) return NOTHING;
		if (lease.address !== address) return [this.#nak(packet, subnet, asker, `${address} is not yours`)];
		return this.#grant(packet, address, subnet, asker);
	}

	/**
	 * A client that has an address keeps it if that is possible at all: its root hangs on it. One that we have no record of is
	 * believed when it asks us alone, because then it has the address from us.
	 */
	async #extending(packet: DhcpPacket, subnet: DhcpSubnet, asker: Asker, isAlone: boolean): Replies {
		const isKnown = this.#parts.keeper.of(asker.mac, subnet) !== undefined;
		return isKnown || isAlone ? this.#grant(packet, packet.ciaddr, subnet, asker, isAlone) : NOTHING;
	}

	async #grant(packet: DhcpPacket, address: string, subnet: DhcpSubnet, asker: Asker, isThere = false): Replies {
		const terms = this.#terms(packet, subnet, asker);
		const { leaseSeconds: seconds } = terms;
		const lease = await this.#parts.keeper.grant(asker.mac, address, subnet, { seconds, isThere });
		if (lease === undefined) return [this.#nak(packet, subnet, asker, `${address} is not yours`)];
		this.#parts.given(asker, address);
		return [fromSubnet(subnet, leaseReply(packet, MessageType.ACK, address, terms))];
	}

	#nak(packet: DhcpPacket, subnet: DhcpSubnet, { mac }: Asker, message: string): DhcpReply {
		if (this.#said.isNew(mac, message)) this.#parts.log.info(`${mac} is refused: ${message}`);
		return fromSubnet(subnet, nakReply(packet, subnet.serverAddress, message), 0, IPV4_BROADCAST);
	}

	async #decline(packet: DhcpPacket, { mac }: Asker): Replies {
		const address = addressOption(packet, OptionCode.REQUESTED_IP_ADDRESS);
		if (address !== undefined && this.#isForUs(packet)) await this.#parts.keeper.decline(mac, address);
		return NOTHING;
	}

	/** Only who has the address gives it back: the message comes from it. */
	async #release(packet: DhcpPacket, sender: DhcpSender, { mac }: Asker): Replies {
		if (isFrom(packet, sender) && this.#isForUs(packet)) await this.#parts.keeper.free(mac, packet.ciaddr);
		return NOTHING;
	}

	/** RFC 2131 table 5: DECLINE and RELEASE name their server. One that names none is believed to mean us. */
	#isForUs(packet: DhcpPacket): boolean {
		const server = addressOption(packet, OptionCode.SERVER_IDENTIFIER);
		return server === undefined || this.settings.subnets.some(({ serverAddress }) => serverAddress === server);
	}

	#inform(packet: DhcpPacket, subnet: DhcpSubnet, asker: Asker): DhcpReply {
		return fromSubnet(subnet, informReply(packet, this.#terms(packet, subnet, asker)));
	}
}

/** Whether a message came, without a relay, from the address that its client says to have. */
function isFrom(packet: DhcpPacket, sender: DhcpSender): boolean {
	return packet.giaddr === IPV4_ANY && packet.ciaddr === sender.address;
}

/** @param to where to send it, when that is not where RFC 2131 section 4.1 says. */
function fromSubnet(subnet: DhcpSubnet, packet: DhcpPacket, delay = 0, to?: string): DhcpReply {
	const { serverAddress } = subnet;
	return {
		delay,
		packet: (own) => (own === serverAddress ? packet : undefined),
		...(to === undefined ? {} : { to }),
	};
}
