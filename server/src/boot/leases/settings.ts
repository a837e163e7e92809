/** What full DHCP gives out, and to whom: the settings that may change while it runs. */
import { NetbootError } from "../../base/index.ts";
import { inSameSubnet, ipv4FromNumber, ipv4ToNumber, isLoopback, maskOfPrefix } from "../../wire/dhcp/index.ts";

/** A subnet in which we give out addresses. */
export interface DhcpSubnet {
	/** Our address that its clients are told: DHCP server, and the server that they boot from. */
	readonly serverAddress: string;
	/** The interface that it is on; undefined for a subnet that a relay joins to ours. */
	readonly interface?: string | undefined;
	readonly netmask: string;
	/** First and last address that is given out. */
	readonly start: string;
	readonly end: string;
	/** Undefined behind a relay: the relay itself is the router. */
	readonly router?: string | undefined;
	readonly dns: readonly string[];
}

export interface DhcpSettings {
	/** Our addresses that are in none of these are a proxy's, beside the DHCP server that is there. */
	readonly subnets: readonly DhcpSubnet[];
	/** For how long an address is given. */
	readonly leaseSeconds: number;
	/** Whether machines that are no Raspberry Pis get addresses too. */
	readonly serveEverybody: boolean;
}

/** A range as a person writes it; with `prefix` it is behind a relay, in a subnet of that many bits. */
export interface RangeWish {
	readonly start: string;
	readonly end: string;
	readonly prefix?: number | undefined;
}

/** What a person asked for; null stands for "none". */
export interface FullDhcpWish {
	readonly ranges?: readonly RangeWish[] | undefined;
	readonly router?: string | null | undefined;
	readonly dns?: readonly string[] | null | undefined;
}

/** An interface that is served, and what this machine knows of its network. */
export interface DhcpPlace {
	readonly interface: string;
	readonly address: string;
	readonly netmask: string;
	/** The router of this machine, wherever it is. */
	readonly gateway?: string | undefined;
	/** The DNS servers of this machine. */
	readonly resolvers: readonly string[];
}

/** A proxy everywhere: gives out nothing. */
export const PROXY_ONLY: DhcpSettings = { subnets: [], leaseSeconds: 3600, serveEverybody: false };

/** A subnet smaller than this has no room for anybody but us and a router. */
const SMALLEST = 4;

/**
 * The subnets of full mode, each served interface's and those behind relays, with what nobody asked for filled in. Where
 * ranges were asked for, the interfaces that have none of them are left to the DHCP servers that are there.
 *
 * @throws NetbootError `invalid-request` when a range ends before it begins, or is in none of the subnets, or the router is.
 */
export function planSubnets(places: readonly DhcpPlace[], wish: FullDhcpWish = {}): DhcpSubnet[] {
	const useful = places.filter(({ address }) => !isLoopback(address));
	const near = (wish.ranges ?? []).filter(({ prefix }) => prefix === undefined);
	const far = (wish.ranges ?? []).flatMap(({ prefix, ...range }) =>
		prefix === undefined ? [] : [{ prefix, ...range }],
	);
	for (const range of wish.ranges ?? []) requireForward(range);
	for (const range of near) requirePlace(range, useful);
	const here = useful.flatMap((place) => subnetOf(place, near, wish));
	const [first] = here.length > 0 ? here : useful.map((place) => subnetIn(place, defaultRange(place), wish));
	const behind = first === undefined ? [] : far.map((range) => relayedSubnet(range, first));
	if (wish.router != null && ![...here, ...behind].some((subnet) => isIn(subnet, wish.router ?? ""))) {
		throw invalid(`The router ${wish.router} is in none of the subnets that are served.`, places);
	}
	if (wish.ranges !== undefined) requireApart([...here, ...behind]);
	return [...here, ...behind];
}

/** A client would be offered an address out of each, and get another one each time. Two legs in one network share its range. */
function requireApart(subnets: readonly DhcpSubnet[]): void {
	for (const [index, one] of subnets.entries()) {
		for (const other of subnets.slice(index + 1)) {
			const isSame = one.start === other.start && one.end === other.end && one.netmask === other.netmask;
			if (isSame || !(isIn(one, other.start) || isIn(other, one.start))) continue;
			const ranges = [one, other].map(({ start, end }) => `${start}-${end}`).join(" and ");
			throw invalid(`The ranges ${ranges} are in one network, which can have but one.`, []);
		}
	}
}

function subnetOf(place: DhcpPlace, near: readonly RangeWish[], wish: FullDhcpWish): DhcpSubnet[] {
	if (near.length > 0) return near.filter((range) => holds(place, range)).map((range) => subnetIn(place, range, wish));
	const size = subnetBounds(place).last - subnetBounds(place).first + 1;
	return size < SMALLEST ? [] : [subnetIn(place, defaultRange(place), wish)];
}

function subnetIn(place: DhcpPlace, { start, end }: RangeWish, wish: FullDhcpWish): DhcpSubnet {
	const { address, netmask, gateway, resolvers } = place;
	const usable = (candidate: string | null | undefined) =>
		candidate != null && inSameSubnet(candidate, address, netmask) ? candidate : undefined;
	return {
		serverAddress: address,
		interface: place.interface,
		netmask,
		start,
		end,
		router: wish.router === undefined ? usable(gateway) : usable(wish.router),
		// A resolver on the loopback of this machine is nobody else's.
		dns: wish.dns === undefined ? resolvers.filter((resolver) => !isLoopback(resolver)) : (wish.dns ?? []),
	};
}

function relayedSubnet(range: RangeWish & { readonly prefix: number }, first: DhcpSubnet): DhcpSubnet {
	const netmask = maskOfPrefix(range.prefix);
	if (!inSameSubnet(range.start, range.end, netmask)) {
		throw invalid(`The range ${range.start}-${range.end} does not fit a subnet of ${range.prefix} bits.`, []);
	}
	const { serverAddress, dns } = first;
	return { serverAddress, netmask, start: range.start, end: range.end, dns };
}

function requireForward({ start, end }: RangeWish): void {
	if (ipv4ToNumber(start) <= ipv4ToNumber(end)) return;
	throw invalid(`The first address, ${start}, comes after the last one, ${end}.`, []);
}

function requirePlace(range: RangeWish, places: readonly DhcpPlace[]): void {
	if (places.some((place) => holds(place, range))) return;
	throw invalid(`The range ${range.start}-${range.end} is in none of the subnets of this machine.`, places);
}

function invalid(message: string, places: readonly DhcpPlace[]): NetbootError {
	const subnets = places.map((place) => {
		const { first, last } = subnetBounds(place);
		return `${ipv4FromNumber(first)} to ${ipv4FromNumber(last)} on ${place.interface}`;
	});
	const hint = subnets.length === 0 ? {} : { hint: `Choose addresses out of: ${subnets.join("; ")}.` };
	return new NetbootError("invalid-request", message, hint);
}

/** Tells whether an address is in the subnet, given out or not. */
export function isIn(subnet: DhcpSubnet, address: string): boolean {
	return inSameSubnet(subnet.start, address, subnet.netmask);
}

/** The first and the last address of a subnet that a machine may have. */
function subnetBounds({ address, netmask }: Pick<DhcpPlace, "address" | "netmask">): {
	first: number;
	last: number;
} {
	const mask = ipv4ToNumber(netmask);
	const network = (ipv4ToNumber(address) & mask) >>> 0;
	return { first: network + 1, last: network + (~mask >>> 0) - 1 };
}

function holds(place: DhcpPlace, { start, end }: RangeWish): boolean {
	const { first, last } = subnetBounds(place);
	return ipv4ToNumber(start) >= first && ipv4ToNumber(end) <= last;
}

/** .100 to .200 where there are as many, as routers do; else the upper half, which people use less. */
function defaultRange(place: DhcpPlace): RangeWish {
	const { first, last } = subnetBounds(place);
	const start = last - first >= 200 ? first + 99 : first + Math.ceil((last - first) / 2);
	return { start: ipv4FromNumber(start), end: ipv4FromNumber(Math.min(start + 100, last)) };
}
