/** Many virtual Pis at once, on loopback, and what a person sees of them. */
import { lookup } from "node:dns/promises";
import { networkInterfaces } from "node:os";
import { type Identity, type Model, shortSerial } from "./board.ts";
import { LoopbackNetwork } from "./loopback.ts";
import { findModel, mixedModels, modelNames, models } from "./models/index.ts";
import type { ServerPorts } from "./network.ts";
import { bootPi } from "./pi.ts";
import type { BootReport } from "./report.ts";

export interface SimulationOptions {
	/** Name or address of the server: it must be on this machine. */
	readonly server: string;
	/** Of a model, or `mixed` for all of them in turn. */
	readonly model: string;
	readonly count: number;
	readonly ports: ServerPorts;
	/** Prints the reports as JSON, in place of lines for a person. */
	readonly json: boolean;
	readonly signal?: AbortSignal;
	/** Where lines go; standard output when left out. */
	readonly print?: (line: string) => void;
}

/** A Pi of the fleet. */
export interface Member {
	readonly index: number;
	readonly model: Model;
	readonly identity: Identity;
}

/** @returns the exit code: 0 when all have booted, 1 when one has not or the server is elsewhere, 2 for a model that there is none of. */
export async function runSimulation(options: SimulationOptions): Promise<number> {
	const print = options.print ?? ((line: string) => process.stdout.write(`${line}\n`));
	const members = makeFleet(options.model, options.count);
	if (members === undefined) {
		print(`There is no model "${options.model}"; there are ${modelNames.join(", ")} and mixed.`);
		return 2;
	}
	const { address: server } = await lookup(options.server, { family: 4 });
	if (!isThisMachine(server)) {
		print(`Virtual Pis speak to a server on their own machine only, and ${server} is another one. Start them there.`);
		return 1;
	}
	const boot = (member: Member) => bootMember(member, { ...options, server }, options.json ? undefined : print);
	const reports = await Promise.all(members.map(boot));
	if (options.json) print(JSON.stringify(reports.map(toJson), undefined, "\t"));
	else for (const line of summary(reports)) print(line);
	return reports.every(({ ok }) => ok) ? 0 : 1;
}

function isThisMachine(address: string): boolean {
	if (address.startsWith("127.")) return true;
	return Object.values(networkInterfaces()).some((own) => own?.some((each) => each.address === address));
}

/** The Pis of a fleet: always the same ones for the same arguments. Undefined when there is no such model. */
export function makeFleet(model: string, count: number): Member[] | undefined {
	const named = findModel(model);
	if (named === undefined && model !== "mixed") return undefined;
	return Array.from({ length: count }, (_, index) => {
		const own = named ?? mixedModels[index % mixedModels.length];
		if (own === undefined) throw new TypeError("there are no models");
		return { index, model: own, identity: makeIdentity(own, index) };
	});
}

/** The board of the captures has serials like any other; ours are made up, with the maker's prefix in the MAC. */
export function makeIdentity(model: Model, index: number): Identity {
	const number = (index + 1).toString(16).padStart(4, "0");
	const kind = (0x51 + models.indexOf(model)).toString(16);
	const low = `${kind}${number}`;
	const mac = `${model.oui}:${low.match(/../g)?.join(":")}`;
	return { mac, serial: `${"0".repeat(model.sample.serial.length - 8)}1a${low}` };
}

async function bootMember(
	{ index, model, identity }: Member,
	options: SimulationOptions,
	print: ((line: string) => void) | undefined,
): Promise<BootReport> {
	const { server, ports, signal } = options;
	const network = await LoopbackNetwork.open({ server, ports, index, signal });
	const stages = new StageLines(print, `${shortSerial(identity)}  ${model.name.padEnd(9)}`);
	try {
		const report = await bootPi({ model, identity, network, signal, onStep: (step) => stages.add(step) });
		stages.end(report);
		return report;
	} finally {
		await network.close();
	}
}

interface Step {
	readonly atMs: number;
	readonly step: string;
	readonly detail: string;
}

/** One line for each stage of a boot, once it is over. */
class StageLines {
	readonly #print: ((line: string) => void) | undefined;
	readonly #who: string;
	#files = 0;
	#last: Step | undefined;

	constructor(print: ((line: string) => void) | undefined, who: string) {
		this.#print = print;
		this.#who = who;
	}

	add(step: Step): void {
		if (step.step === "failed" || step.step === "done") return;
		if (this.#last !== undefined && this.#last.step !== step.step) this.#show(this.#last);
		if (step.step === "tftp") this.#files++;
		this.#last = step;
	}

	#show({ atMs, step, detail }: Step): void {
		const text = step === "tftp" ? `${this.#files} requests, the last for ${detail}` : detail;
		this.#line(atMs, step, text);
	}

	#line(atMs: number, step: string, text: string): void {
		this.#print?.(`${this.#who} ${(atMs / 1000).toFixed(2).padStart(6)} s  ${step.padEnd(9)}  ${text}`.trimEnd());
	}

	end({ ok, error, steps }: BootReport): void {
		if (this.#last !== undefined) this.#show(this.#last);
		this.#line(steps.at(-1)?.atMs ?? 0, ok ? "booted" : "failed", ok ? "" : (error ?? ""));
	}
}

/** How many booted, and for the others each reason once. */
function summary(reports: readonly BootReport[]): string[] {
	const failed = reports.filter(({ ok }) => !ok);
	const booted = reports.length - failed.length;
	const isOne = reports.length === 1;
	const all = failed.length > 0 ? `${booted} of ${reports.length}` : isOne ? "The" : `All ${reports.length}`;
	const lines = ["", `${all} virtual Pi${isOne ? "" : "s"} booted.`];
	const reasons = Map.groupBy(failed, ({ error = "for no known reason" }) => error);
	for (const [reason, those] of reasons) lines.push(`  ${those.length} did not: ${reason}`);
	return lines;
}

/** A report without the contents of files. */
export function toJson(report: BootReport): unknown {
	const files = [...report.sizes].map(([name, size]) => ({ name, size }));
	return { ...report, files, sizes: undefined };
}
