/** Who may speak as an agent: who has the secret of a boot, and asks from an address of that boot's Pi. */
import type { Clock } from "../../base/index.ts";
import type { Device, DeviceRegistry } from "../../devices/index.ts";
import { type Refusal, RequestChecker, type SignedParts, signAnswer } from "../signature.ts";
import type { AgentKeys } from "./agent-keys.ts";

/** A request as it came. */
export interface AgentRequest extends SignedParts {
	readonly agentId: string;
	readonly signature: string;
	/** Where it came from. */
	readonly address: string;
}

/** Somebody who has shown that he speaks for a Pi. */
export interface AgentCaller {
	readonly device: Device;
	readonly bootId: string;
	/** The signature of an answer to this request. @param body all of it. */
	sign(status: number, body: Uint8Array): string;
}

export type Admission =
	| { readonly isAdmitted: true; readonly caller: AgentCaller }
	| {
			readonly isAdmitted: false;
			readonly code: "agent-bad-signature" | "agent-replayed" | "agent-clock" | "agent-foreign-address";
			/** Missing where the secret is not known: then nothing is signed. */
			readonly sign?: AgentCaller["sign"];
			/** Milliseconds since 1970, for who has another clock. */
			readonly time?: number;
	  };

export interface AgentGateOptions {
	readonly keys: AgentKeys;
	readonly registry: Pick<DeviceRegistry, "deviceAt" | "byMac" | "bind">;
	/** The MAC behind an address of the LAN. */
	readonly macOf: (address: string) => Promise<string | undefined>;
	readonly clock: Clock;
}

/** Checkers that are kept; those of boots that ended go first. */
const CHECKERS_KEPT = 1000;

const REFUSALS: Readonly<Record<Refusal, "agent-bad-signature" | "agent-clock" | "agent-replayed">> = {
	"bad-signature": "agent-bad-signature",
	clock: "agent-clock",
	replayed: "agent-replayed",
};

export class AgentGate {
	readonly #options: AgentGateOptions;
	readonly #checkers = new Map<string, RequestChecker>();
	/** What was signed before may have been heard by the process before us, which alone knew its nonces. */
	readonly #since: number;

	constructor(options: AgentGateOptions) {
		this.#options = options;
		this.#since = options.clock.now();
	}

	async admit(request: AgentRequest): Promise<Admission> {
		const { keys, clock } = this.#options;
		const key = keys(request.agentId);
		if (key === undefined) return { isAdmitted: false, code: "agent-bad-signature" };
		const refusal = this.#checkerOf(request.agentId, key.secret).check(request, request.signature);
		if (refusal === "bad-signature") return { isAdmitted: false, code: REFUSALS[refusal] };
		const sign = (status: number, body: Uint8Array) => signAnswer(key.secret, request.nonce, status, body);
		if (refusal !== undefined) return { isAdmitted: false, code: REFUSALS[refusal], sign, time: clock.now() };
		if (!(await this.#isAt(key.device, request.address))) {
			return { isAdmitted: false, code: "agent-foreign-address", sign };
		}
		return { isAdmitted: true, caller: { device: key.device, bootId: key.bootId, sign } };
	}

	#checkerOf(agentId: string, secret: string): RequestChecker {
		const known = this.#checkers.get(agentId);
		if (known !== undefined) return known;
		if (this.#checkers.size >= CHECKERS_KEPT) this.#forgetEnded();
		const { clock } = this.#options;
		const checker = new RequestChecker(secret, () => clock.now(), this.#since);
		this.#checkers.set(agentId, checker);
		return checker;
	}

	#forgetEnded(): void {
		for (const id of this.#checkers.keys()) if (this.#options.keys(id) === undefined) this.#checkers.delete(id);
	}

	/** A Pi that runs often has a second address, which only the neighbour table knows. */
	async #isAt(device: Device, address: string): Promise<boolean> {
		const { registry, macOf } = this.#options;
		const holder = registry.deviceAt(address);
		if (holder !== undefined) return holder === device;
		const mac = await macOf(address);
		return mac !== undefined && registry.byMac(mac) === device && registry.bind(device, address, "neighbour");
	}
}
