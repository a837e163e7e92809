import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { REAL_TIMING } from "./pi.ts";
import { playList, readPlay } from "./plays.ts";
import { filesOf, OFFER_FOR_ALL, powerOn } from "./testing/power-on.ts";

const QUICK = {
	...REAL_TIMING,
	firmware: { dhcp: { retry: 20, total: 10_000 }, tftp: { retry: 20, file: 200 } },
};

const KERNEL = "x".repeat(512 * 40);
const files = filesOf("91cdf03d/", ["start4.elf", "fixup4.dat", "bcm2711-rpi-4-b.dtb"], {
	"config.txt": "arm_64bit=1\n",
	"cmdline.txt": "root=/dev/nfs nfsroot=127.0.0.1:/pi/x,vers=3,tcp,nolock rw ip=dhcp\n",
	"kernel8.img": KERNEL.repeat(3),
});

/** A Pi 4 that plays this until its plug is pulled. @returns its story. */
async function played(name: string, wanted: RegExp): Promise<string[]> {
	const plug = new AbortController();
	const lines: string[] = [];
	const seen = (line: string) => {
		lines.push(line);
		if (wanted.test(lines.join("\n"))) plug.abort(new Error("the plug was pulled"));
	};
	const options = { timing: QUICK, signal: plug.signal, play: readPlay(name), firmwareOnly: false };
	const onStep = ({ step, detail }: { step: string; detail: string }) => seen(`${step} ${detail}`);
	// On loopback a Pi has its address already, and the boot loops until its plug is pulled.
	const { report } = await powerOn("pi4", { offers: [{ ...OFFER_FOR_ALL, delay: 0 }], files }, { ...options, onStep });
	assert.equal(report.ok, false);
	return lines;
}

describe("failures that are played", () => {
	it("are refused with the list when there is none of that name", () => {
		assert.throws(() => readPlay("dances"), /--plays dances: expected deaf, .*own-disk, claims:ADDRESS/);
		assert.throws(() => readPlay("claims:192.0.2"), /expected/);
		assert.deepEqual(readPlay("claims:192.0.2.20"), { failure: "claims", address: "192.0.2.20" });
		assert.equal(readPlay(undefined), undefined);
		for (const [name, does] of playList) assert.match(`${name} ${does}`, /^\S+ [a-z].{20,}/);
	});

	it("deaf: no answer is heard, and the question comes again", async () => {
		const lines = await played("deaf", /(DISCOVER[\s\S]*){4}/);
		assert.ok(
			lines.every((line) => !line.includes("OFFER")),
			lines.join("\n"),
		);
	});

	it("no-acks: the boot begins anew when a file never came", async () => {
		const lines = await played("no-acks", /(no answer from TFTP[\s\S]*){2}/);
		assert.ok(lines.filter((line) => line === "dhcp DISCOVER").length >= 2, lines.join("\n"));
	});

	it("slow: small files come, a large one is given up", async () => {
		const lines = await played("slow", /failed .*kernel8\.img: only \d+ bytes of/);
		assert.match(lines.join("\n"), /tftp 91cdf03d\/start4\.elf: \d+ bytes/);
	});

	it("stops: the last word is a file in the middle", async () => {
		const plug = new AbortController();
		setTimeout(() => plug.abort(new Error("the plug was pulled")), 500);
		const options = { timing: QUICK, signal: plug.signal, play: readPlay("stops") };
		// On loopback a Pi has its address already, and the boot loops until its plug is pulled.
		const { report } = await powerOn("pi4", { offers: [{ ...OFFER_FOR_ALL, delay: 0 }], files }, options);
		assert.match(report.error ?? "", /the plug was pulled/);
		assert.ok([...report.sizes.keys()].every((name) => !name.includes("kernel8.img")));
	});

	it("config-loop: config.txt comes, and no kernel is asked for", async () => {
		const lines = await played("config-loop", /(does not take kernel8\.img[\s\S]*){2}/);
		assert.ok(
			lines.every((line) => !/kernel8\.img: (is there|\d)/.test(line)),
			lines.join("\n"),
		);
	});

	it("dead-kernel: all files come, and nothing after them", async () => {
		const lines = await played("dead-kernel", /kernel it does not start/);
		assert.match(lines.join("\n"), /kernel8\.img: \d+ bytes/);
	});
});
