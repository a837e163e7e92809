/** The server recognises every virtual Pi by its own words: neither side shares code with the other. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeRevision, type ModelId } from "../server/src/devices/index.ts";
import { classify, decodePacket, serialOf, speakerOf } from "../server/src/wire/dhcp/index.ts";
import { models, shortSerial } from "../simulator/src/index.ts";
import { OFFER_FOR_ALL, powerOn } from "../simulator/src/testing/power-on.ts";

/** What the family of a virtual model is for the server. */
const FAMILIES: Readonly<Record<string, ModelId>> = {
	pi1b: "pi1b",
	pi1bp: "pi1bp",
	pi2b: "pi2b",
	pi3b: "pi3b",
	pi3bp: "pi3bp",
	pi4: "pi4",
	pi400: "pi400",
	cm4: "cm4",
	pi5: "pi5",
	pi5d0: "pi5",
	pi500: "pi500",
	pi500p: "pi500",
	cm5: "cm5",
	cm5l: "cm5l",
};

/** The captures called a Pi 400 with a bootloader of 2021 so. */
const familyOf = (name: string) => (name === "pi4-2021" ? "pi400" : (name.split("-")[0] ?? ""));

async function firstWords(name: string) {
	const controller = new AbortController();
	const onDhcp = () => controller.abort(new Error("heard"));
	const { server } = await powerOn(name, { onDhcp, deaf: 1 }, { signal: controller.signal });
	return decodePacket(server.dhcp[0] ?? assert.fail("nothing came"));
}

describe("a virtual Pi", () => {
	for (const model of models) {
		const isRom = model.name === "pi3b" || model.name === "pi2b";
		it(`of the model ${model.name} is recognised by its DISCOVER`, async () => {
			const packet = await firstWords(model.name);
			const client = classify(packet);
			assert.ok(client.kind === "pi", client.reason);
			assert.equal(client.generation, isRom ? "mask-rom" : model.hasSettings ? "eeprom" : "pi3");
			assert.equal(speakerOf(packet), "firmware");
			assert.equal(serialOf(client), isRom ? undefined : shortSerial(model.sample));
			if (client.guid.kind === "board") assert.equal(client.guid.revision, model.revision);
		});

		it(`of the model ${model.name} has the revision code of its board`, () => {
			assert.equal(decodeRevision(model.revision).model, FAMILIES[familyOf(model.name)]);
		});
	}

	it("with a bootloader that says PXEClient in its REQUEST is recognised by that too", async () => {
		for (const { name } of models.filter(({ dhcp }) => dhcp.sendsRequest && dhcp.requestHasClass)) {
			const { server } = await powerOn(name, { offers: [{ ...OFFER_FOR_ALL, delay: 0 }] });
			const request = classify(decodePacket(server.dhcp[1] ?? assert.fail(name)));
			assert.equal(request.kind, "pi", name);
		}
	});
});
