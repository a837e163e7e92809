import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock, silentLogger } from "../base/index.ts";
import { chooseInterfaces, type LanAnswer, listInterfaces } from "../net/index.ts";
import { OtherServers } from "./other-servers.ts";
import { LO, machine, settled, TWO } from "./testing/machine.ts";

async function started(answers: Record<string, LanAnswer>, addresses = TWO) {
	const served = chooseInterfaces(await listInterfaces(machine(addresses).source));
	const clock = new ManualClock();
	const asked: string[] = [];
	const others = new OtherServers({
		clock,
		log: silentLogger,
		ownAddresses: () => ["192.0.2.5", "10.1.128.1"],
		onAsked: () => asked.push("done"),
		async ask({ address }) {
			asked.push(address);
			return answers[address] ?? { kind: "not-asked", reason: "no rights" };
		},
	});
	others.start(() => served);
	clock.advance(0);
	await settled();
	return { others, clock, asked, [Symbol.dispose]: () => others.stop() };
}

const offer = (server: string, offered = "192.0.2.40") => ({ server, offered, isBootServer: false });

test("each LAN is asked from our address there; answers of ours do not count, and proxies give no addresses", async () => {
	const here: LanAnswer = {
		kind: "asked",
		offers: [offer("192.0.2.1"), offer("192.0.2.5"), offer("192.0.2.9", "0.0.0.0")],
	};
	using lab = await started({ "192.0.2.5": here });
	assert.deepEqual([...lab.asked].sort(), ["10.1.128.1", "192.0.2.5", "done"]);
	assert.deepEqual(lab.others.addresses, ["192.0.2.1", "192.0.2.9"]);
	assert.deepEqual(
		lab.others
			.beside("192.0.2.5")
			?.map(({ address, interface: name, givesAddresses }) => [address, name, givesAddresses]),
		[
			["192.0.2.1", "eth0", true],
			["192.0.2.9", "eth0", false],
		],
	);
	assert.equal(lab.others.beside("10.1.128.1"), undefined, "nobody could ask there");
});

test("nothing is known where nobody could ask, and loopback is not asked", async () => {
	using lab = await started({});
	assert.equal(lab.others.addresses, undefined);
	using alone = await started({}, LO);
	assert.deepEqual(alone.asked, ["done"]);
});

test("the LANs are asked again after ten minutes, and soon after our addresses changed", async () => {
	using lab = await started({ "192.0.2.5": { kind: "asked", offers: [] } });
	const rounds = () => lab.asked.filter((word) => word === "done").length;
	lab.others.moved();
	lab.clock.advance(3000);
	await settled();
	assert.equal(rounds(), 2);
	lab.clock.advance(10 * 60_000);
	await settled();
	assert.equal(rounds(), 3);
	lab.others.stop();
	lab.clock.advance(10 * 60_000);
	await settled();
	assert.equal(rounds(), 3);
});
