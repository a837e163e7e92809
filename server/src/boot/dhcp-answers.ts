/** Proxy DHCP: who of those who ask is a Pi that shall boot from us, and what the others tell about its boot. */
import type { Logger } from "../base/index.ts";
import type { Device, DeviceRegistry } from "../devices/index.ts";
import type { DhcpHandler, DhcpReply, DhcpSender } from "../net/index.ts";
import {
	classify,
	type DhcpPacket,
	decideProxy,
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
import { type BootImages, chooseBoot } from "./catalogue.ts";
import { Said } from "./said.ts";

export interface DhcpAnswersOptions {
	readonly registry: DeviceRegistry;
	readonly images: BootImages;
	readonly log: Logger;
}

/** Why a Pi is not answered. */
const SILENT: Readonly<Record<string, string>> = {
	disk: "it is set to boot from its own disk",
	ignore: "it is set to be left alone",
};

export class DhcpAnswers implements DhcpHandler {
	readonly #options: DhcpAnswersOptions;
	/** A Pi asks every four seconds. */
	readonly #said = new Said();

	constructor(options: DhcpAnswersOptions) {
		this.#options = options;
	}

	handle(packet: DhcpPacket, sender: DhcpSender): readonly DhcpReply[] {
		const decision = decideProxy(packet);
		if (decision.kind === "answer") return this.#discover(packet, sender, decision.client);
		this.#listen(packet, sender, decision.reason);
		return [];
	}

	#discover(packet: DhcpPacket, sender: DhcpSender, client: PiClient): readonly DhcpReply[] {
		const { registry, log } = this.#options;
		const mac = macFromBytes(packet.chaddr);
		// A virtual Pi on loopback proves its address by asking from it.
		const address = isLoopback(sender.address) ? sender.address : undefined;
		const device = registry.sawFirmware({ mac, client, message: "discover", address });
		if (device === undefined) {
			log.warn(`${mac} is not answered: too many devices are waiting`);
			return [];
		}
		const silent = this.#whySilent(device);
		this.#say(device, silent === undefined ? "asks where to boot from" : `is not answered: ${silent}`);
		if (silent !== undefined) return [];
		registry.fact(device, { kind: "offer" });
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

	/** What is not answered tells how far a boot is. */
	#listen(packet: DhcpPacket, sender: DhcpSender, reason: string): void {
		const mac = macFromBytes(packet.chaddr);
		const speaker = speakerOf(packet);
		if (speaker === "firmware") this.#request(packet, mac);
		else if (speaker === "kernel" || speaker === "initramfs" || speaker === "userland") {
			this.#options.registry.sawLinux(mac, speaker, claimedAddress(packet));
		} else if (isDiscover(packet)) {
			this.#options.log.debug(`${mac} at ${sender.address} is left alone: ${reason}`);
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

/** The address that a client asks for (option 50) or has (ciaddr). */
function claimedAddress(packet: DhcpPacket): string | undefined {
	const requested = packet.options.get(OptionCode.REQUESTED_IP_ADDRESS);
	if (requested?.length === 4) return ipv4FromBytes(requested);
	return packet.ciaddr === IPV4_ANY ? undefined : packet.ciaddr;
}
