import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeFleet, runSimulation } from "./fleet.ts";
import { models } from "./models/index.ts";
import { FakeServer } from "./testing/fake-server.ts";

describe("a fleet", () => {
	it("has Pis that are always the same, and no two alike", () => {
		const fleet = makeFleet("mixed", 200);
		assert.deepEqual(fleet, makeFleet("mixed", 200));
		const macs = new Set(fleet.map(({ identity }) => identity.mac));
		const serials = new Set(fleet.map(({ identity }) => identity.serial.slice(-8)));
		assert.deepEqual([macs.size, serials.size], [200, 200]);
		assert.ok(fleet.every(({ model, identity }) => identity.mac.startsWith(model.oui)));
		assert.equal(new Set(fleet.map(({ model }) => model.name)).size, 5);
		const names = (list: string, count: number) => makeFleet(list, count).map(({ model }) => model.name);
		assert.deepEqual(names("pi3b+", 2), ["pi3bp", "pi3bp"]);
		assert.deepEqual(names("pi4, cm4-2020-11", 3), ["pi4-2026", "cm4-2020-11", "pi4-2026"]);
		assert.equal(new Set(names("all", models.length)).size, models.length);
	});

	it("may be started beside another one", () => {
		const [both, second, other] = [makeFleet("pi4", 2), makeFleet("pi4", 1, 2), makeFleet("pi5", 2)];
		assert.deepEqual(second, both.slice(1));
		assert.equal(new Set([...both, ...other].map(({ address }) => address)).size, 4);
	});

	it("of a model that cannot boot from the network is refused, with what to do", async () => {
		for (const model of ["zero2w", "pi3a+", "cm3", "CM4S", "pi1a", "pico", "pi4,zerow"]) {
			const lines: string[] = [];
			const print = (line: string) => lines.push(line);
			const ports = { dhcp: 1, tftp: 1, portmap: 1, nfs: 1 };
			assert.equal(await runSimulation({ server: "127.0.0.1", model, count: 2, ports, json: false, print }), 2);
			assert.match(lines.join("\n"), /^A .* cannot boot from the network: .*\. .*(card|USB)/);
		}
	});

	it("has no EEPROM to set before the Pi 4", async () => {
		const lines: string[] = [];
		const print = (line: string) => lines.push(line);
		const settings = { prefix: "mac" } as const;
		const ports = { dhcp: 1, tftp: 1, portmap: 1, nfs: 1 };
		const options = { server: "127.0.0.1", model: "pi3bp", count: 1, ports, json: false, print, settings };
		assert.equal(await runSimulation(options), 2);
		assert.match(lines.join("\n"), /3B\+ has no EEPROM/);
	});

	it("of a model that there is none of is refused, with the names that there are", async () => {
		const lines: string[] = [];
		const ports = { dhcp: 1, tftp: 1, portmap: 1, nfs: 1 };
		const options = {
			server: "127.0.0.1",
			model: "pi9",
			count: 1,
			ports,
			json: false,
			print: (line: string) => lines.push(line),
		};
		assert.equal(await runSimulation(options), 2);
		assert.match(lines.join("\n"), /no model "pi9"; there are .*pi4.*mixed/);
	});

	it("does not look for a server on another machine", async () => {
		const lines: string[] = [];
		const ports = { dhcp: 67, tftp: 69, portmap: 111, nfs: 2049 };
		const options = {
			server: "192.0.2.1",
			model: "pi4",
			count: 1,
			ports,
			json: false,
			print: (line: string) => lines.push(line),
		};
		assert.equal(await runSimulation(options), 1);
		assert.match(lines.join("\n"), /192.0.2.1 is another one/);
	});

	it("tells how many booted, and each reason why others did not once", async () => {
		const server = await FakeServer.start();
		for (const json of [false, true]) {
			const lines: string[] = [];
			const options = { server: "localhost", model: "pi4", count: 3, ports: server.ports, json };
			assert.equal(await runSimulation({ ...options, print: (line) => lines.push(line) }), 1);
			const text = lines.join("\n");
			if (json) {
				const { summary, pis } = JSON.parse(text);
				assert.deepEqual([summary.count, summary.booted, summary.failures[0].count], [3, 0, 3]);
				assert.equal(pis.length, 3);
				assert.match(JSON.stringify(pis[0]), /"ok":false.*start4.elf is not on the server/);
			} else {
				assert.match(text, /0 of 3 virtual Pis booted.\n {2}3 did not, like this: start4.elf is not on the server/);
				assert.match(text, /1a530001 {2}pi4-2026 .* failed +start4.elf is not/);
			}
		}
		server.close();
	});
});
