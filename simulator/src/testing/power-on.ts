/** Boots a model from a scripted server, as far as its firmware goes. */
import assert from "node:assert/strict";
import type { Model } from "../board.ts";
import { LoopbackNetwork } from "../loopback.ts";
import { findModel } from "../models/index.ts";
import { type BootOptions, bootPi, REAL_TIMING } from "../pi.ts";
import type { BootReport } from "../report.ts";
import { type FakeOffer, type FakeOptions, FakeServer } from "./fake-server.ts";

/** An address that no other run of these tests has at the same time. */
const OWN = `127.77.${20 + (process.pid % 200)}.${1 + (Math.floor(process.pid / 200) % 250)}`;

/** Nothing is sent twice, however slow the machine is. */
const PATIENT = {
	...REAL_TIMING,
	firmware: { dhcp: { retry: 30_000, total: 30_000 }, tftp: { retry: 30_000, file: 30_000 } },
};

/** Gives an address and the boot tag in the form that a Pi 3B finds too, late enough for it. */
export const OFFER_FOR_ALL: FakeOffer = {
	yiaddr: "10.9.8.7",
	options: [
		[60, "PXEClient"],
		[43, "Raspberry Pi Boot   "],
	],
	delay: 1050,
};

export function modelOf(name: string): Model {
	return findModel(name) ?? assert.fail(`there is no model ${name}`);
}

/** Files with their own names for contents, or with the given ones. */
export function filesOf(prefix: string, names: readonly string[], texts: Readonly<Record<string, string>> = {}) {
	const stock = names.map((name): [string, Buffer] => [`${prefix}${name}`, Buffer.from(name)]);
	const own = Object.entries(texts).map(([name, text]): [string, Buffer] => [`${prefix}${name}`, Buffer.from(text)]);
	return new Map([...stock, ...own, ["bootcode.bin", Buffer.from("bootcode.bin")]]);
}

/** @returns the report, and the server with what it was asked. The firmware's own clocks hold, but nothing is sent again. */
export async function powerOn(
	name: string,
	fake: FakeOptions,
	options: Partial<BootOptions> = {},
): Promise<{ report: BootReport; server: FakeServer }> {
	const server = await FakeServer.start(fake);
	const { ports } = server;
	const network = await LoopbackNetwork.open({ server: "127.0.0.1", ports, address: OWN, signal: options.signal });
	const model = modelOf(name);
	const own = { model, identity: model.sample, network, firmwareOnly: true, timing: PATIENT };
	try {
		const report = await bootPi({ ...own, ...options });
		if (report.ok) await server.idle();
		return { report, server };
	} finally {
		await network.close();
		server.close();
	}
}
