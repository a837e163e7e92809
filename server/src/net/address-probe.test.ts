import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemClock } from "../base/index.ts";
import { AddressProbe } from "./address-probe.ts";
import type { InterfaceSource } from "./interfaces.ts";

/** A machine with this table of neighbours. */
function machineWith(...lines: readonly string[]): InterfaceSource {
	return {
		platform: "linux",
		addresses: () => ({}),
		read: async () => ["IP address HW type Flags HW address Mask Device", ...lines].join("\n"),
		list: async () => [],
		run: async () => "",
	};
}

const MAC = "dc:a6:32:00:00:01";
const probe = new AddressProbe(
	systemClock,
	machineWith(`127.0.0.8 0x1 0x2 ${MAC} * eth0`, "127.0.0.7 0x1 0x2 02:00:00:00:00:07 * eth0"),
);

describe("who has an address", () => {
	test("is said by the table of neighbours", async () => {
		assert.deepEqual(await probe.find("127.0.0.7", MAC), { mac: "02:00:00:00:00:07" });
	});

	test("is nobody, when it is the one who asks", async () => {
		assert.equal(await probe.find("127.0.0.8", MAC), undefined);
	});

	test("is somebody, where a machine says that nobody listens", async () => {
		assert.deepEqual(await probe.find("127.0.0.1", MAC), { mac: "" });
	});

	test("is nobody, where no datagram can be sent", async () => {
		assert.equal(await probe.find("127.255.255.255", MAC), undefined);
	});
});
