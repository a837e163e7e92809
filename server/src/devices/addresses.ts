/** Which address is whose. An address belongs to one device at most; a device can have a few. */

/**
 * Who says that the address is the device's. `lease`: we gave it out. `neighbour`: the operating system's neighbour table
 * found the device's MAC address behind it. `loopback`: it asked from there, on this very machine. `request`: it asked a
 * DHCP server for it (option 50), which anybody on the LAN could say.
 */
export type AddressSource = (typeof SOURCES)[number];

const SOURCES = ["lease", "neighbour", "loopback", "request"] as const;

export function isAddressSource(word: string | null): word is AddressSource {
	return SOURCES.some((source) => source === word);
}

export interface AddressBinding {
	readonly address: string;
	readonly deviceKey: number;
	readonly source: AddressSource;
	/** Milliseconds since 1970. */
	readonly at: number;
	/** Another device claimed it since: not to be trusted until the neighbour table or a lease of ours says whose it is. */
	readonly contested: boolean;
}

/** A booted Pi often has two: the kernel's and the one that its own DHCP client got. */
const ADDRESSES_PER_DEVICE = 4;

/** How long a proved binding stands against somebody's mere word. */
const PROOF_HOLDS_MS = 10 * 60_000;

/** An IPv4 address that an IPv6 socket reports as `::ffff:192.0.2.1`, in its own form. */
function plainAddress(address: string): string {
	return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}

/** Both directions of the bindings. */
export class AddressBook {
	readonly #byAddress = new Map<string, AddressBinding>();
	/** The newest first. */
	readonly #byDevice = new Map<number, readonly AddressBinding[]>();

	/** Whose address it is. */
	at(address: string): AddressBinding | undefined {
		return this.#byAddress.get(plainAddress(address));
	}

	/** The device's addresses, the last one that was proved first. */
	of(deviceKey: number): readonly AddressBinding[] {
		return this.#byDevice.get(deviceKey) ?? [];
	}

	/**
	 * Binds the address to the device, and takes it from another that has it.
	 *
	 * @returns the binding that stands against it, when the other's proof is better: a forged REQUEST must not take the
	 * address of a Pi that runs. The neighbour table decides then.
	 */
	bind(deviceKey: number, rawAddress: string, source: AddressSource, at: number): AddressBinding | undefined {
		const address = plainAddress(rawAddress);
		const held = this.#byAddress.get(address);
		if (held !== undefined && held.deviceKey !== deviceKey && stands(held, source, at)) {
			this.#replace(held, { ...held, contested: true });
			return held;
		}
		// A device that asks for what it has keeps its better proof.
		const again = held?.deviceKey === deviceKey && source === "request" ? held : undefined;
		if (held !== undefined) this.#remove(held);
		this.#add({ address, deviceKey, source: again?.source ?? source, at, contested: again?.contested ?? false });
		return undefined;
	}

	/** Whether somebody has the address and nobody else claimed it since. */
	isProved(address: string): boolean {
		return this.at(address)?.contested === false;
	}

	#replace(old: AddressBinding, binding: AddressBinding): void {
		const bindings = this.of(old.deviceKey).map((one) => (one === old ? binding : one));
		this.#byDevice.set(old.deviceKey, bindings);
		this.#byAddress.set(old.address, binding);
	}

	#add(binding: AddressBinding): void {
		this.#byDevice.set(binding.deviceKey, [binding, ...this.of(binding.deviceKey)]);
		this.#byAddress.set(binding.address, binding);
		const bindings = this.of(binding.deviceKey);
		if (bindings.length <= ADDRESSES_PER_DEVICE) return;
		// What anybody could have said goes before what is proved.
		const leaver = bindings.findLast(({ source }) => source === "request") ?? bindings.at(-1);
		if (leaver !== undefined) this.#remove(leaver);
	}

	#remove(binding: AddressBinding): void {
		this.#byAddress.delete(binding.address);
		const left = this.of(binding.deviceKey).filter((other) => other.address !== binding.address);
		if (left.length === 0) this.#byDevice.delete(binding.deviceKey);
		else this.#byDevice.set(binding.deviceKey, left);
	}

	/** Frees all addresses of a device. */
	forget(deviceKey: number): void {
		for (const binding of this.of(deviceKey)) this.#byAddress.delete(binding.address);
		this.#byDevice.delete(deviceKey);
	}
}

/** Whether a binding stands against a claim of another device. */
function stands(held: AddressBinding, claim: AddressSource, at: number): boolean {
	return claim === "request" && held.source !== "request" && at - held.at < PROOF_HOLDS_MS;
}
