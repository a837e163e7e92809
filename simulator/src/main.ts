/** `node simulator/src/main.ts`: one virtual Pi, on a network interface of its own or on loopback. */
import { parseArgs } from "node:util";
import { shortSerial } from "./board.ts";
import { errorText } from "./errors.ts";
import { toJson } from "./fleet.ts";
import { LoopbackNetwork } from "./loopback.ts";
import { findModel, modelNames } from "./models/index.ts";
import { type Network, STANDARD_PORTS } from "./network.ts";
import { bootPi } from "./pi.ts";
import { WiredNetwork } from "./wired.ts";

const HELP = `A virtual Raspberry Pi.

  --interface NAME    an interface without an address, in a network namespace of its own (root)
  --server ADDRESS    on loopback: the server, which is on this machine
  --model NAME        ${modelNames.join(", ")} (default pi4)
  --mac, --serial     who it is
  --firmware-only     stop where the kernel would start
  --save-to FOLDER    keep the files that the firmware fetched
  --json              print the report as JSON
`;

const { values } = parseArgs({
	options: {
		interface: { type: "string" },
		server: { type: "string" },
		model: { type: "string", default: "pi4" },
		mac: { type: "string" },
		serial: { type: "string" },
		"firmware-only": { type: "boolean", default: false },
		"save-to": { type: "string" },
		json: { type: "boolean", default: false },
		help: { type: "boolean", default: false },
	},
});

async function main(): Promise<number> {
	if (values.help) {
		process.stdout.write(HELP);
		return 0;
	}
	const model = findModel(values.model);
	if (model === undefined) throw new Error(`there is no model ${values.model}; there are ${modelNames.join(", ")}`);
	const identity = { mac: values.mac ?? model.sample.mac, serial: values.serial ?? model.sample.serial };
	const signal = stopSignal();
	const network = await openNetwork(identity.mac, signal);
	try {
		const report = await bootPi({
			model,
			identity,
			network,
			firmwareOnly: values["firmware-only"],
			saveTo: values["save-to"],
			signal,
			onStep: ({ atMs, step, detail }) => {
				if (!values.json)
					console.log(`${shortSerial(identity)} ${String(atMs).padStart(6)} ms  ${step.padEnd(7)} ${detail}`);
			},
		});
		if (values.json) console.log(JSON.stringify(toJson(report), undefined, "\t"));
		return report.ok ? 0 : 1;
	} finally {
		await network.close();
	}
}

function openNetwork(mac: string, signal: AbortSignal): Promise<Network> {
	const ports = STANDARD_PORTS;
	if (values.interface !== undefined) return WiredNetwork.open({ name: values.interface, mac, ports, signal });
	return LoopbackNetwork.open({ server: values.server ?? "127.0.0.1", ports, index: 0, signal });
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
