import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readSettings, readSystem } from "./flags.ts";
import { findModel } from "./models/index.ts";
import { checkSettings, guidOf, prefixOf } from "./settings.ts";

const identity = { mac: "dc:a6:32:EC:fc:3c", serial: "10000000E0FF06DA" };

describe("the settings of an EEPROM", () => {
	it("tell what stands before the names", () => {
		const prefix = (text: string | undefined) => prefixOf(identity, readSettings({ "tftp-prefix": text }));
		assert.deepEqual([undefined, "serial", "mac", "none", "string:lab/", "string:lab"].map(prefix), [
			"e0ff06da/",
			"e0ff06da/",
			"dc-a6-32-ec-fc-3c/",
			"",
			"lab/",
			"lab",
		]);
	});

	it("tell what option 97 says", () => {
		const model = findModel("pi4-2021") ?? assert.fail();
		const guid = (option97: string | undefined) => guidOf(model, identity, readSettings({ option97 })).toString("hex");
		assert.equal(guid(undefined), "00525069343031c00032ecfc3cda06ffe0");
		assert.equal(guid("serial"), `00${"da06ffe0".repeat(4)}`);
		assert.equal(guid("ACME"), "0041434d453031c00032ecfc3cda06ffe0");
	});

	it("can do without DHCP, when all four addresses are there", () => {
		const all = { "client-ip": "10.0.0.5", subnet: "255.255.255.0", gateway: "10.0.0.1", "tftp-ip": "10.0.0.2" };
		const { client, tftpServer } = readSettings(all);
		assert.deepEqual(client, { address: "10.0.0.5", mask: "255.255.255.0", router: "10.0.0.1" });
		assert.equal(tftpServer, "10.0.0.2");
		assert.deepEqual(readSettings({ "tftp-ip": "10.0.0.2" }).client, undefined);
	});

	it("are refused when a bootloader would not take them", () => {
		for (const [flags, expected] of [
			[{ "tftp-prefix": "serial/" }, /expected serial, mac, none or string:TEXT/],
			[{ "tftp-prefix": `string:${"x".repeat(33)}` }, /33 letters, and a bootloader keeps 32/],
			[{ option97: "RPi" }, /four letters/],
			[{ "tftp-ip": "nas.local" }, /--tftp-ip nas.local: expected an IPv4 address/],
			[{ "client-ip": "10.0.0.5", "tftp-ip": "10.0.0.2" }, /needs --client-ip, --subnet, --gateway and --tftp-ip/],
			[
				{ "client-ip": "1.2.3.4", subnet: "255.0.255.0", gateway: "1.2.3.1", "tftp-ip": "1.2.3.2" },
				/not a subnet mask/,
			],
		] as const) {
			assert.throws(() => readSettings(flags), expected);
		}
		assert.throws(() => readSystem("windows"), /expected networkmanager, networkd, dhcpcd/);
		assert.throws(() => checkSettings(findModel("pi3b") ?? assert.fail(), { option97: "serial" }), /has no EEPROM/);
		checkSettings(findModel("pi3b") ?? assert.fail(), { tryboot: true, prefix: undefined });
	});
});
