/** `node simulator/src/main.ts`: a virtual Pi on a network interface of its own, or some of them on loopback. */
import { parseArgs } from "node:util";
import { type Model, shortSerial } from "./board.ts";
import { SYSTEMS } from "./dhcp-linux.ts";
import { errorText } from "./errors.ts";
import { readSettings, readSystem } from "./flags.ts";
import { runSimulation, toJson } from "./fleet.ts";
import { modelNames, needModel } from "./models/index.ts";
import { type ServerPorts, STANDARD_PORTS } from "./network.ts";
import { bootPi } from "./pi.ts";
import { playList, readPlay } from "./plays.ts";
import type { BootStep } from "./report.ts";
import { checkSettings } from "./settings.ts";
import { WiredNetwork } from "./wired.ts";

const HELP = `A virtual Raspberry Pi.

On an interface of its own, as root, in a network namespace:
  --interface NAME    it has no address yet
  --mac, --serial     who the Pi is
  --firmware-only     stop where the kernel would start
  --save-to FOLDER    keep the files that the firmware fetched
  --starts-over       a bootloader that nobody answered asks again, as in a crowd on loopback

On loopback, without root:
  --server ADDRESS    the server, which is on this machine (default 127.0.0.1)
  --count N           how many Pis (default 1)
  --first N           the number of the first one: each is a Pi of its own (default 1)

  --ramp SECONDS      from the first power-on to the last (default 0: all at once)
  --seconds N         pull the plug of a Pi that has not booted by then (default 300)

  --model NAME        ${modelNames.join(", ")};
                      pi4, pi400, cm4, pi5, pi500, cm5 ... take the date of their bootloader: pi4-2021-04;
                      on loopback also several (pi4,pi5), mixed, and all (default pi4)
  --plays NAME        what goes wrong with it:
${playList.map(([name, does]) => `                        ${name.padEnd(14)} ${does}`).join("\n")}
  --system NAME       what asks DHCP again when the system runs: ${SYSTEMS.map(({ name }) => name).join(", ")}
  --tryboot           the system asked for tryboot.txt before it rebooted
  --dhcp-port, --tftp-port, --portmap-port, --nfs-port
  --json              print reports as JSON

What is set in the EEPROM of a Pi 4 or 5:
  --tftp-prefix HOW   serial (default), mac, none, or string:TEXT
  --netconsole        it broadcasts its log
  --option97 HOW      serial, or four letters
  --tftp-ip ADDRESS   where the files are, whatever DHCP says
  --client-ip, --subnet, --gateway   with --tftp-ip: no DHCP
`;

const { values } = parseArgs({
	options: {
		interface: { type: "string" },
		server: { type: "string", default: "127.0.0.1" },
		model: { type: "string", default: "pi4" },
		count: { type: "string", default: "1" },
		first: { type: "string", default: "1" },
		ramp: { type: "string", default: "0" },
		seconds: { type: "string", default: "300" },
		mac: { type: "string" },
		serial: { type: "string" },
		"firmware-only": { type: "boolean", default: false },
		"save-to": { type: "string" },
		"starts-over": { type: "boolean", default: false },
		system: { type: "string" },
		plays: { type: "string" },
		netconsole: { type: "boolean", default: false },
		tryboot: { type: "boolean", default: false },
		"tftp-prefix": { type: "string" },
		option97: { type: "string" },
		"tftp-ip": { type: "string" },
		"client-ip": { type: "string" },
		subnet: { type: "string" },
		gateway: { type: "string" },
		"dhcp-port": { type: "string" },
		"tftp-port": { type: "string" },
		"portmap-port": { type: "string" },
		"nfs-port": { type: "string" },
		json: { type: "boolean", default: false },
		help: { type: "boolean", default: false },
	},
});

async function main(): Promise<number> {
	if (values.help) {
		process.stdout.write(HELP);
		return 0;
	}
	const ports = readPorts();
	const signal = stopSignal();
	const { server, model, json } = values;
	if (values.interface !== undefined) return bootOnInterface(values.interface, ports, signal);
	const settings = readSettings(values);
	const system = readSystem(values.system);
	const play = readPlay(values.plays);
	const count = number("count", values.count);
	const first = number("first", values.first);
	const patience = number("seconds", values.seconds);
	const ramp = values.ramp === "0" ? 0 : number("ramp", values.ramp);
	return runSimulation({ server, model, count, first, ports, json, signal, settings, system, play, patience, ramp });
}

async function bootOnInterface(name: string, ports: ServerPorts, signal: AbortSignal): Promise<number> {
	const model = needModel(values.model);
	const settings = readSettings(values);
	checkSettings(model, settings);
	const identity = readIdentity(model);
	const play = readPlay(values.plays);
	const network = await WiredNetwork.open({ name, mac: identity.mac, ports, signal });
	const who = shortSerial(identity);
	const print = ({ atMs, step, detail }: BootStep) =>
		console.log(`${who} ${(atMs / 1000).toFixed(3).padStart(7)} s  ${step.padEnd(9)}  ${detail}`);
	try {
		const report = await bootPi({
			model,
			identity,
			network,
			firmwareOnly: values["firmware-only"],
			saveTo: values["save-to"],
			startsOver: values["starts-over"] || play !== undefined,
			play,
			settings,
			system: readSystem(values.system),
			signal,
			...(values.json ? {} : { onStep: print }),
		});
		if (values.json) console.log(JSON.stringify(toJson(report), undefined, "\t"));
		return report.ok ? 0 : 1;
	} finally {
		await network.close();
	}
}

function readIdentity({ sample }: Model): { mac: string; serial: string } {
	const { mac = sample.mac, serial = sample.serial } = values;
	if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac)) throw new Error(`--mac ${mac}: expected xx:xx:xx:xx:xx:xx`);
	if (!/^([0-9a-f]{8}){1,2}$/i.test(serial)) throw new Error(`--serial ${serial}: expected 8 or 16 hex digits`);
	return { mac, serial };
}

function readPorts(): ServerPorts {
	const port = (name: "dhcp" | "tftp" | "portmap" | "nfs") => {
		const text = values[`${name}-port`];
		return text === undefined ? STANDARD_PORTS[name] : number(`${name}-port`, text);
	};
	return { dhcp: port("dhcp"), tftp: port("tftp"), portmap: port("portmap"), nfs: port("nfs") };
}

function number(flag: string, text: string): number {
	if (!/^[1-9]\d{0,4}$/.test(text)) throw new Error(`--${flag} ${text}: expected a number`);
	return Number(text);
}

function stopSignal(): AbortSignal {
	const controller = new AbortController();
	for (const name of ["SIGINT", "SIGTERM"] as const) {
		process.once(name, () => controller.abort(new Error(`stopped by ${name}`)));
	}
	return controller.signal;
}

try {
	process.exitCode = await main();
} catch (error) {
	console.error(errorText(error));
	process.exitCode = 2;
}
