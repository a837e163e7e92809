/** DHCP: who of those who ask is a Pi that shall boot from us, what the others tell about its boot, and who gets an address. */
import { type Clock, type Logger, systemClock } from "../base/index.ts";
import type { Device, DeviceRegistry, Fact } from "../devices/index.ts";
import type { DhcpHandler, DhcpReply, DhcpSender } from "../net/index.ts";
import type { LeaseRepository } from "../store/index.ts";
import {
	BOOTREQUEST,
	classify,
	type DhcpPacket,
	decideProxy,
	HTYPE_ETHERNET,
	hasPiMacPrefix,
	IPV4_ANY,
	ipv4FromBytes,
	isDiscover,
	isLoopback,
	MessageType,
	macFromBytes,
	messageType,
	OptionCode,
	offerDelays,
	type PiClient,
	proxyOffer,
	speakerOf,
} from "../wire/dhcp/index.ts";
import type { BootQueue } from "./boot-queue.ts";
import { type BootImages, chooseBoot } from "./catalogue.ts";
import { type Asker, FullDhcp } from "./leases/full-dhcp.ts";
import type { Lease } from "./leases/lease-book.ts";
import { LeaseKeeper } from "./leases/lease-keeper.ts";
import { type DhcpSettings, type DhcpSubnet, PROXY_ONLY } from "./leases/settings.ts";
import type { LeaseWire } from "./leases/system-wire.ts";
import { Said } from "./said.ts";

export interface DhcpAnswersOptions {
	readonly registry: DeviceRegistry;
	readonly images: BootImages;
	readonly leases: LeaseRepository;
	/** Who of a crowd may begin. */
	readonly queue: BootQueue;
	readonly log: Logger;
	readonly clock?: Clock;
	readonly wire: LeaseWire;
}

/** Why a Pi is not answered. */
const SILENT: Readonly<Record<string, string>> = {
	disk: "it is set to boot from its own disk",
	ignore: "it is set to be left alone",
};

const NOTHING: readonly DhcpReply[] = [];

export class DhcpAnswers implements DhcpHandler {
	readonly #options: DhcpAnswersOptions;
	readonly #keeper: LeaseKeeper;
	readonly #full: FullDhcp;
	/** A Pi asks every four seconds. */
	readonly #said = new Said();

	constructor(options: DhcpAnswersOptions) {
		this.#options = options;
		const { registry, leases: rows, log, clock = systemClock, wire } = options;
		this.#keeper = new LeaseKeeper({
			rows,
			clock,
			log,
			findHolder: (address, mac) => wire.findHolder(address, mac),
			isForeign(address, mac) {
				const owner = registry.deviceAt(address);
				return owner !== undefined && owner.mac !== mac;
			},
			hasBooted: (mac) => (registry.byMac(mac)?.bootCount ?? 0) > 0,
			exhausted: (mac, subnet) => this.#exhausted(mac, subnet),
		});
		this.#full = new FullDhcp(
			{
				keeper: this.#keeper,
				clock,
				log,
				tellNeighbour: (neighbour) => wire.tellNeighbour(neighbour),
				given: (asker, address) => this.#given(asker, address),
				otherServer: (address, mac) => this.#otherServer(address, mac),
			},
			PROXY_ONLY,
		);
	}

	/** Reads what was given out before. */
	async start(): Promise<void> {
		await this.#keeper.load();
	}

	/** Resolves when all that was given out is stored. Nothing may be handled afterwards. */
	async stop(): Promise<void> {
		this.#options.queue.stop();
		await this.#keeper.settle();
	}

	/** Gives out addresses as these settings say, from now on. What was given out stays its client's. */
	configure(settings: DhcpSettings): void {
		this.#full.settings = settings;
	}

	/** Whether this is the MAC of a device that has booted from here, which no stranger is. */
	isKnown(mac: string): boolean {
		return (this.#options.registry.byMac(mac)?.bootCount ?? 0) > 0;
	}

	/** Every address that was given out or is kept out of use, in their order. */
	leases(): readonly Lease[] {
		return this.#keeper.list();
	}

	/**
	 * @returns the answers: at once as a proxy, and when they are stored where we give out addresses.
	 * @throws MalformedError
	 */
	handle(packet: DhcpPacket, sender: DhcpSender): readonly DhcpReply[] | Promise<readonly DhcpReply[]> {
		const decision = decideProxy(packet);
		const boot = decision.kind === "answer" ? decision.client : undefined;
		if (boot === undefined) this.#listen(packet, sender, decision.kind === "silent" ? decision.reason : "");
		const device = boot && this.#discover(packet, sender, boot);
		// A firmware that is not to boot from us gets no address either: it would wait for somebody to boot from.
		if (boot !== undefined && device === undefined) return NOTHING;
		const wait = device && boot && this.#waitFor(device, boot);
		const answer = () => this.#answer(packet, sender, boot && device && { device, client: boot });
		return wait === undefined ? answer() : wait.then((isTurn) => (isTurn ? answer() : NOTHING));
	}

	#answer(
		packet: DhcpPacket,
		sender: DhcpSender,
		booting: { readonly device: Device; readonly client: PiClient } | undefined,
	): readonly DhcpReply[] | Promise<readonly DhcpReply[]> {
		const proxied = booting === undefined ? NOTHING : this.#offer(packet, booting.device, booting.client);
		const { subnets } = this.#full.settings;
		if (subnets.length === 0 || isLoopback(sender.address) || packet.op !== BOOTREQUEST) return proxied;
		const asker = this.#asker(packet);
		return asker === undefined ? NOTHING : this.#both(packet, sender, asker, proxied);
	}

	/** The addresses that we give out, and beside other DHCP servers the answers of a proxy. */
	async #both(
		packet: DhcpPacket,
		sender: DhcpSender,
		asker: Asker,
		proxied: readonly DhcpReply[],
	): Promise<readonly DhcpReply[]> {
		const full = new Set(this.#full.settings.subnets.map(({ serverAddress }) => serverAddress));
		const beside = proxied.map((reply) => ({
			...reply,
			packet: (own: string) => (full.has(own) ? undefined : reply.packet(own)),
		}));
		return [...beside, ...(await this.#full.answer(packet, sender, asker))];
	}

	/**
	 * Whom we serve: Raspberry Pis, whatever speaks for them: firmware, kernel, system. Also one that boots from its disk: its
	 * system asks for no more than an address. Everybody else when that is set.
	 */
	#asker(packet: DhcpPacket): Asker | undefined {
		if (packet.htype !== HTYPE_ETHERNET || packet.chaddr.length !== 6) return undefined;
		const mac = macFromBytes(packet.chaddr);
		const device = this.#options.registry.byMac(mac);
		const { serveEverybody } = this.#full.settings;
		if (device === undefined && !hasPiMacPrefix(mac) && !serveEverybody) return undefined;
		const client = classify(packet);
		const isBooting = client.kind === "pi" && device !== undefined && this.#whySilent(device) === undefined;
		if (client.kind === "pi" && !isBooting) return undefined;
		return {
			mac,
			hostName: device?.name,
			boot: client.kind === "pi" && wantsBootWords(packet) ? client : undefined,
		};
	}

	#given({ mac }: Asker, address: string): void {
		const { registry, log } = this.#options;
		const device = registry.byMac(mac);
		if (device !== undefined) registry.bind(device, address, "lease");
		if (this.#said.isNew(`lease ${mac}`, address)) {
			log.info(device === undefined ? {} : { device: device.id }, `${mac} has the address ${address}`);
		}
	}

	#exhausted(mac: string, { start, end }: DhcpSubnet): void {
		const device = this.#options.registry.byMac(mac);
		if (device !== undefined)
			this.#options.registry.fact(device, { kind: "no-address-left", range: `${start}-${end}` });
	}

	#otherServer(address: string, mac: string): void {
		const device = this.#options.registry.byMac(mac);
		if (device !== undefined) this.#options.registry.fact(device, { kind: "other-server", address });
		if (!this.#said.isNew(`other ${address}`, mac)) return;
		this.#options.log.warn(
			`${mac} takes an address from the DHCP server ${address}, while this server gives out addresses too: two of them in one network give one address to two machines`,
		);
	}

	/** Takes in who asks. @returns the device when it shall boot from us. */
	#discover(packet: DhcpPacket, sender: DhcpSender, client: PiClient): Device | undefined {
		const { registry, log } = this.#options;
		const mac = macFromBytes(packet.chaddr);
		// A virtual Pi on loopback proves its address by asking from it.
		const address = isLoopback(sender.address) ? sender.address : undefined;
		const relay = packet.giaddr === IPV4_ANY ? undefined : packet.giaddr;
		const device = registry.sawFirmware({ mac, client, message: "discover", address, relay });
		if (device === undefined) {
			log.warn(`${mac} is not answered: too many devices are waiting`);
			return undefined;
		}
		const silent = this.#whySilent(device);
		if (silent !== undefined) registry.fact(device, unanswered(device));
		this.#say(device, silent === undefined ? "asks where to boot from" : `is not answered: ${silent}`);
		return silent === undefined ? device : undefined;
	}

	/** Until it is its turn, where too many boot at this moment and it is one that can wait. */
	#waitFor(device: Device, { generation }: PiClient): Promise<boolean> | undefined {
		const { queue, registry } = this.#options;
		const canWait = generation === "eeprom" || (generation === "pi3" && queue.isPastRom(device.key));
		const turn = canWait ? queue.ask(device.key, device.bootCount > 0) : undefined;
		if (turn === undefined) return undefined;
		registry.fact(device, { kind: "waits", before: turn.before });
		if (this.#said.isNew(`turn ${device.mac}`, "")) {
			this.#options.log.info({ device: device.id }, `${device.mac} waits for its turn, with ${turn.before} before it`);
		}
		return turn.comes;
	}

	#offer(packet: DhcpPacket, device: Device, client: PiClient): readonly DhcpReply[] {
		this.#options.registry.fact(device, { kind: "offer" });
		return offerDelays(client).map((delay) => ({ delay, packet: (own) => proxyOffer(packet, client, own) }));
	}

	#whySilent(device: Device): string | undefined {
		const { images, registry } = this.#options;
		const intended = SILENT[device.intent];
		if (intended !== undefined) return intended;
		return chooseBoot(device, images, registry) === undefined ? "there is no image that is ready" : undefined;
	}

	#say(device: Device, sentence: string): void {
		if (this.#said.isNew(device.mac, sentence))
			this.#options.log.info({ device: device.id }, `${device.mac} ${sentence}`);
	}

	/** What is not answered with boot words tells how far a boot is. */
	#listen(packet: DhcpPacket, sender: DhcpSender, reason: string): void {
		const mac = macFromBytes(packet.chaddr);
		const speaker = speakerOf(packet);
		if (speaker === "firmware" && !isDiscover(packet)) this.#request(packet, mac);
		else if (speaker === "kernel" || speaker === "initramfs" || speaker === "userland") {
			this.#options.registry.sawLinux(mac, speaker, claimedAddress(packet));
		} else if (isDiscover(packet)) {
			this.#options.log.debug(`${mac} at ${sender.address} is left alone: ${reason}`);
			this.#leaveAlone(mac, reason, packet);
		}
	}

	/** Somebody may wait for it to boot: a PXE client that is none of ours, or a Pi that wants something else. */
	#leaveAlone(mac: string, reason: string, packet: DhcpPacket): void {
		const { registry } = this.#options;
		const vendor = packet.options.get(OptionCode.VENDOR_CLASS)?.toString("latin1") ?? "";
		if (registry.byMac(mac) !== undefined) return;
		if (hasPiMacPrefix(mac)) registry.sawBystander(mac, `It asks for no boot that this server has: ${reason}.`);
		else if (vendor.startsWith("PXEClient")) {
			registry.sawBystander(mac, `It boots over the network, but is no Raspberry Pi (${reason}): it is left alone.`);
		}
	}

	#request(packet: DhcpPacket, mac: string): void {
		const client = classify(packet);
		if (client.kind !== "pi" || messageType(packet) !== MessageType.REQUEST) return;
		const server = packet.options.get(OptionCode.SERVER_IDENTIFIER);
		this.#options.registry.sawFirmware({
			mac,
			client,
			message: "request",
			address: claimedAddress(packet),
			server: server?.length === 4 ? ipv4FromBytes(server) : undefined,
		});
	}
}

function unanswered({ intent, imageId }: Device): Extract<Fact, { kind: "unanswered" }> {
	if (intent === "disk" || intent === "ignore") return { kind: "unanswered", why: intent };
	return { kind: "unanswered", why: "no-image", imageId };
}

/** A firmware that boots over HTTP asks for an address, but not for option 43. A REQUEST has no list. */
function wantsBootWords(packet: DhcpPacket): boolean {
	const asked = packet.options.get(OptionCode.PARAMETER_REQUEST_LIST);
	return asked === undefined || asked.includes(OptionCode.VENDOR_SPECIFIC);
}

/** The address that a client asks for (option 50) or has (ciaddr). */
function claimedAddress(packet: DhcpPacket): string | undefined {
	const requested = packet.options.get(OptionCode.REQUESTED_IP_ADDRESS);
	if (requested?.length === 4) return ipv4FromBytes(requested);
	return packet.ciaddr === IPV4_ANY ? undefined : packet.ciaddr;
}
