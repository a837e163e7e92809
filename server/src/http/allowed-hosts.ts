/** Names that the server may be called by besides the machine's own: those of its start, and those that are stored. */
import type { IncomingMessage } from "node:http";
import { ApiError } from "./errors.ts";
import { checkHosts, hostOf, isOurs, type Machine, namesOf, thisMachine } from "./host.ts";

/** Where they are kept; the store. */
export interface HostKeeper {
	readonly settings: {
		get(key: "allowedHosts"): readonly string[] | undefined;
		set(key: "allowedHosts", value: readonly string[]): Promise<void>;
	};
	/** Resolves when all that was stored before survives a power cut. */
	durable(): Promise<void>;
}

export class AllowedHosts {
	/** Those of the start, which nothing takes away. */
	readonly given: readonly string[];
	readonly #keeper: HostKeeper;
	readonly #machine: Machine;

	constructor(given: readonly string[], keeper: HostKeeper, machine = thisMachine) {
		this.given = given;
		this.#keeper = keeper;
		this.#machine = machine;
	}

	/** The machine's own names. */
	get own(): readonly string[] {
		return [...new Set(namesOf(this.#machine))];
	}

	get stored(): readonly string[] {
		return this.#keeper.settings.get("allowedHosts") ?? [];
	}

	/** @throws ApiError host-refused. */
	check(request: IncomingMessage): void {
		checkHosts(request, this.#machine, [...this.given, ...this.stored]);
	}

	/**
	 * Stores other ones, which hold from then on. Survives a power cut when it resolves.
	 *
	 * @param header the Host of who asks for it: it stays allowed, or nobody could take the change back from there.
	 * @throws ApiError conflict.
	 */
	async change(names: readonly string[], header: string): Promise<void> {
		const asked = hostOf(header);
		if (asked === undefined || !isOurs(asked, this.#machine, [...this.given, ...names])) {
			throw new ApiError(
				"conflict",
				`You came by the name ${asked}: without it this page would not answer you any more.`,
				{
					hint: "Come by an address of the machine, and take the name away there.",
				},
			);
		}
		await this.#keeper.settings.set("allowedHosts", [...new Set(names)]);
		await this.#keeper.durable();
	}
}
