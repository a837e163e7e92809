/** Many virtual Pis at once, on loopback, and what a person sees of them. */
import { lookup } from "node:dns/promises";
import { networkInterfaces } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { type Identity, type Model, shortSerial } from "./board.ts";
import type { LinuxDhcpStyle } from "./dhcp-linux.ts";
import { BootError, errorText } from "./errors.ts";
import { fleetLines, fleetSummary } from "./fleet-report.ts";
import { LoopbackNetwork } from "./loopback.ts";
import { chooseModels, models } from "./models/index.ts";
import type { ServerPorts } from "./network.ts";
import { bootPi } from "./pi.ts";
import type { Play } from "./plays.ts";
import type { BootReport } from "./report.ts";
import { Segment } from "./segment.ts";
import { checkSettings, type EepromSettings } from "./settings.ts";
import { StageLines } from "./stage-lines.ts";

export interface SimulationOptions {
	/** Name or address of the server: it must be on this machine. */
	readonly server: string;
	/** Of a model, of several with commas between them, `mixed` for a usual room, `all` for every kind in turn. */
	readonly model: string;
	readonly count: number;
	/** The number of the first one, from 1: each number of a model is a Pi of its own. 1 when left out. */
	readonly first?: number | undefined;
	readonly ports: ServerPorts;
	/** Prints the reports as JSON, in place of lines for a person. */
	readonly json: boolean;
	/** Seconds from the first power-on to the last; all at once when left out. */
	readonly ramp?: number | undefined;
	/** Seconds after which the plug of a Pi is pulled that has not booted. */
	readonly patience?: number | undefined;
	/** What is set in the EEPROM of each. */
	readonly settings?: EepromSettings | undefined;
	/** What asks DHCP once more when the system runs. */
	readonly system?: LinuxDhcpStyle | undefined;
	/** What goes wrong with each. */
	readonly play?: Play | undefined;
	readonly signal?: AbortSignal;
	/** Where lines go; standard output when left out. */
	readonly print?: (line: string) => void;
}

/** A Pi of the fleet. */
export interface Member {
	readonly model: Model;
	readonly identity: Identity;
	/** Of its own on loopback, also beside the Pis of another fleet. */
	readonly address: string;
}

/** A Pi 3B without an answer gives up after 25 s, others ask for ever. */
const PATIENCE = 300;
/** A bigger crowd gets one line for each Pi, in place of one for each stage. */
const CROWD = 8;

/** @returns the exit code: 0 when all have booted, 1 when one has not or the server is elsewhere, 2 for Pis that there are none of. */
export async function runSimulation(options: SimulationOptions): Promise<number> {
	const print = options.print ?? ((line: string) => process.stdout.write(`${line}\n`));
	const members = askedFor(options, print);
	if (members === undefined) return 2;
	const { address: server } = await lookup(options.server, { family: 4 });
	if (!isThisMachine(server)) {
		print(`Virtual Pis speak to a server on their own machine only, and ${server} is another one. Start them there.`);
		return 1;
	}
	const reports = await bootAll(members, { ...options, server }, print);
	if (options.json)
		print(JSON.stringify({ summary: fleetSummary(reports), pis: reports.map(toJson) }, undefined, "\t"));
	else for (const line of fleetLines(reports)) print(line);
	return reports.every(({ ok }) => ok) ? 0 : 1;
}

function askedFor(
	{ model, count, first, settings }: SimulationOptions,
	print: (line: string) => void,
): Member[] | undefined {
	try {
		const members = makeFleet(model, count, first);
		for (const { model: each } of members) checkSettings(each, settings);
		return members;
	} catch (error) {
		if (!(error instanceof BootError)) throw error;
		print(errorText(error));
		return undefined;
	}
}

function isThisMachine(address: string): boolean {
	if (address.startsWith("127.")) return true;
	return Object.values(networkInterfaces()).some((own) => own?.some((each) => each.address === address));
}

/**
 * The Pis of a fleet: always the same ones for the same arguments.
 * @param first the number of the first one, from 1.
 * @throws BootError with a sentence when there is no such model, or when it cannot boot from the network.
 */
export function makeFleet(names: string, count: number, first = 1): Member[] {
	const chosen = chooseModels(names);
	return Array.from({ length: count }, (_, position) => {
		const model = chosen[position % chosen.length];
		if (model === undefined) throw new TypeError("there are no models");
		const index = first - 1 + position;
		return { model, identity: makeIdentity(model, index), address: loopbackAddress(model, index) };
	});
}

/** 127.77.0.1 and up for the first model, 127.78.0.1 and up for the next. */
function loopbackAddress(model: Model, index: number): string {
	return `127.${77 + models.indexOf(model)}.${Math.floor(index / 250)}.${(index % 250) + 1}`;
}

/** The boards of the captures have serials like any other; ours are made up, with the maker's prefix in the MAC. */
export function makeIdentity(model: Model, index: number): Identity {
	const number = (index + 1).toString(16).padStart(4, "0");
	const kind = (0x51 + models.indexOf(model)).toString(16);
	const low = `${kind}${number}`;
	const mac = `${model.oui}:${low.match(/../g)?.join(":")}`;
	return { mac, serial: `${"0".repeat(model.sample.serial.length - 8)}1a${low}` };
}

async function bootAll(
	members: readonly Member[],
	options: SimulationOptions,
	print: (line: string) => void,
): Promise<BootReport[]> {
	const segment = new Segment();
	const lines = options.json ? undefined : print;
	const pause = ((options.ramp ?? 0) * 1000) / Math.max(members.length - 1, 1);
	return Promise.all(
		members.map(async (member, position) => {
			if (pause > 0) await sleep(position * pause);
			return bootMember(member, { options, segment, print: lines, isCrowd: members.length > CROWD });
		}),
	);
}

interface Crowd {
	readonly options: SimulationOptions;
	readonly segment: Segment;
	readonly print: ((line: string) => void) | undefined;
	readonly isCrowd: boolean;
}

async function bootMember({ model, identity, address }: Member, crowd: Crowd): Promise<BootReport> {
	const { server, ports, settings, system, play, patience = PATIENCE } = crowd.options;
	const plug = new AbortController();
	const pull = () => plug.abort(new BootError(`not booted after ${patience} s: the plug was pulled`));
	const timer = setTimeout(pull, patience * 1000);
	const signal = AbortSignal.any([plug.signal, ...(crowd.options.signal === undefined ? [] : [crowd.options.signal])]);
	const network = await LoopbackNetwork.open({ server, ports, address, segment: crowd.segment, signal });
	const who = `${shortSerial(identity)}  ${model.name.padEnd(9)}`;
	const stages = new StageLines(crowd.print, who, crowd.isCrowd);
	const onStep = stages.add.bind(stages);
	try {
		// Of a crowd some wait for longer than one round of their bootloader; a person who tries one Pi wants to know why it fails.
		const own = { settings, system, play, discard: true, startsOver: crowd.isCrowd || play !== undefined };
		const report = await bootPi({ model, identity, network, signal, onStep, ...own });
		stages.end(report);
		return report;
	} finally {
		clearTimeout(timer);
		await network.close();
	}
}

/** A report without the contents of files. */
export function toJson(report: BootReport): unknown {
	const files = [...report.sizes].map(([name, size]) => ({ name, size }));
	return { ...report, files, sizes: undefined };
}
