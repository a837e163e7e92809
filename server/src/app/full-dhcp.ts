/** Where full DHCP gives out addresses: on the interfaces that nobody else serves. */
import { NetbootError } from "../base/index.ts";
import { type DhcpPlace, type DhcpSubnet, planSubnets } from "../boot/index.ts";
import type { ServedInterface } from "../net/index.ts";
import type { NetworkChoice } from "./network-settings.ts";
import type { OtherServer } from "./other-servers.ts";

/** What this machine knows of the way out, for what nobody asked for. */
export interface WayOut {
	readonly gateway: string | undefined;
	/** IPv4 addresses. */
	readonly resolvers: readonly string[];
}

export interface FullDhcpQuestion {
	readonly choice: NetworkChoice;
	readonly served: readonly ServedInterface[];
	readonly wayOut: WayOut;
	/** The other DHCP servers beside an address of ours; undefined = not known. */
	readonly others: (address: string) => readonly OtherServer[] | undefined;
	/** Our addresses beside which addresses are given out already: whoever comes later does not end that. */
	readonly standing: ReadonlySet<string>;
}

export interface FullDhcpPlan {
	readonly subnets: readonly DhcpSubnet[];
	/** Sentences about interfaces that are left to others. */
	readonly notes: readonly string[];
}

/**
 * Plans full DHCP. Two servers that give out the same addresses break a network, so an interface where another one answers
 * is left to it, and so is one where nobody could look, unless a person insists.
 *
 * @throws NetbootError `invalid-request` for a range or router that fits no subnet; `conflict` when no subnet is left.
 */
export function planFullDhcp(question: FullDhcpQuestion): FullDhcpPlan {
	const { choice, served, wayOut } = question;
	const places = served.flatMap((one) => placeOf(one, wayOut));
	const { ranges, router, dns } = choice;
	const wanted = planSubnets(places, { ranges, router, dns });
	const refused = new Map<string, string>();
	for (const { interface: name, address } of places) {
		const reason = choice.insist || question.standing.has(address) ? undefined : whyNot(name, question.others(address));
		if (reason !== undefined) refused.set(name, reason);
	}
	const subnets = wanted.filter(({ interface: name }) => name === undefined || !refused.has(name));
	const reasons = wanted.flatMap(({ interface: name }) => (name === undefined ? [] : (refused.get(name) ?? [])));
	if (subnets.length === 0 && reasons.length > 0) throw refusal(reasons);
	return { subnets, notes: reasons.map((reason) => `${reason}: there the server is a proxy.`) };
}

function placeOf({ interface: one, address }: ServedInterface, { gateway, resolvers }: WayOut): DhcpPlace[] {
	const netmask = one.addresses.find((own) => own.address === address)?.netmask;
	return netmask === undefined || one.kind === "loopback"
		? []
		: [{ interface: one.name, address, netmask, gateway, resolvers }];
}

function whyNot(name: string, others: readonly OtherServer[] | undefined): string | undefined {
	if (others === undefined) return `On ${name} it is not known whether another DHCP server gives out addresses`;
	const givers = others.filter(({ givesAddresses }) => givesAddresses).map(({ address }) => address);
	return givers.length === 0 ? undefined : `On ${name} the DHCP server ${givers.join(" and ")} gives out addresses`;
}

function refusal(reasons: readonly string[]): NetbootError {
	return new NetbootError(
		"conflict",
		`Addresses are not given out: ${reasons.join(". ")}. Two DHCP servers in one network give one address to two machines.`,
		{ hint: "Stay in proxy mode, which works beside it; or switch it off; or insist (`insist`, --dhcp-insist)." },
	);
}
