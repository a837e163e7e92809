import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Model } from "../board.ts";
import { request } from "../dhcp.ts";
import type { EepromSettings } from "../settings.ts";
import { BOOT_MENU, PROXY_OFFER } from "../testing/fake-server.ts";
import { filesOf, modelOf, OFFER_FOR_ALL, powerOn } from "../testing/power-on.ts";
import { tftpServerOf } from "../tftp-server-of.ts";
import { models } from "./index.ts";

const CLASS = Buffer.from("PXEClient:Arch:00000:UNDI:002001").toString("hex");

/** What stands around option 97 in a DISCOVER: of the ROM of a 3B, of other Pis up to the 3, of an EEPROM. */
const SHAPES = {
	rom: ["350101370c2b3c438081828384858687425d0200005e0301020161", `3c20${CLASS}ff`],
	bootcode: ["350101370e2b3c4380818283848586874201035d0200005e0301020161", `3c20${CLASS}ff`],
	eeprom: [`350101370e01032b3c424380818283848586873c20${CLASS}5d0200005e0301020161`, "ff"],
} as const;

/** The shape, and option 97 with its length: word, board revision, MAC and serial, or only the serial. */
const DISCOVERS: Readonly<Record<string, readonly [shape: keyof typeof SHAPES, guid: string]>> = {
	pi3bp: ["bootcode", `1100${"c6bc078b".repeat(4)}`],
	pi3b: ["rom", `1100${"44".repeat(16)}`],
	pi2b: ["rom", `1100${"44".repeat(16)}`],
	"pi3b-card": ["bootcode", `1100${"4556efa2".repeat(4)}`],
	"pi2b-v1.1": ["bootcode", `1100${"01112bc9".repeat(4)}`],
	pi1bp: ["bootcode", `1100${"01201b4b".repeat(4)}`],
	pi1b: ["bootcode", `1100${"01101b4b".repeat(4)}`],
	"pi4-2019-09": ["eeprom", `1100${"580578d9".repeat(4)}`],
	"pi4-2019-12": ["eeprom", `1100${"580578d9".repeat(4)}`],
	"pi4-2020-01": ["eeprom", `1100${"580578d9".repeat(4)}`],
	"pi4-2020-03-04": ["eeprom", "1100525069341131b00000000000580578d9"],
	"pi4-2020-04": ["eeprom", "1100525069341131b000320136c2580578d9"],
	"pi4-2021": ["eeprom", "1100525069343031c00032ecfc3cda06ffe0"],
	"pi4-2022-02": ["eeprom", "1100346950521431d000010902f73df0cd91"],
	"pi4-2022-10": ["eeprom", "1100346950521431d000010902f73df0cd91"],
	"pi4-2026": ["eeprom", "1100346950521431d000010902f73df0cd91"],
	"pi400-2026": ["eeprom", "1100346950523031c00032ecfc3cda06ffe0"],
	"cm4-2021": ["eeprom", "1100525069344031c000019424f8e724944d"],
	"cm4-2026": ["eeprom", "1100346950524131a00001f8deb960eb8d1f"],
	"pi5-2023-10-18": ["eeprom", "1100346950527041d0009e114ecc798ff17b"],
	"pi5-2024": ["eeprom", "1100356950527041d0009e114ecc798ff17b"],
	"pi5-2026": ["eeprom", "1100356950527041d0009e114ecc798ff17b"],
	"pi5d0-2026": ["eeprom", "1100356950527141b000675d001111000d5d"],
	"pi500-2026": ["eeprom", "1100356950529041d0006750001111000550"],
	"pi500p-2026": ["eeprom", "1100356950529041e0009e500b1111000b50"],
	"cm5-2026": ["eeprom", "1100356950528041d00067b8111cea75da71"],
	"cm5l-2026": ["eeprom", "110035695052a041c00067c5110e010e11c5"],
};

describe("the first DISCOVER", () => {
	it("is told here of every model", () => {
		assert.deepEqual(models.map(({ name }) => name).sort(), Object.keys(DISCOVERS).sort());
	});

	for (const [name, [shape, guid]] of Object.entries(DISCOVERS)) {
		it(`of ${name} is right to the byte`, async () => {
			const controller = new AbortController();
			const onDhcp = () => controller.abort(new Error("heard"));
			const { server } = await powerOn(name, { onDhcp, deaf: 1 }, { signal: controller.signal });
			const bytes = server.dhcp[0] ?? assert.fail("nothing came");
			const [before, behind] = SHAPES[shape];
			assert.equal(bytes.subarray(240).toString("hex"), `${before}${guid}${behind}`);
			assert.equal(bytes.length, shape === "rom" ? 320 : 322);
			assert.equal(bytes.readUInt32BE(4) === 0x26f30339, shape !== "eeprom");
		});
	}
});

describe("the RRQ of a bootloader", () => {
	const options = async (name: string) => {
		const { server } = await powerOn(name, {});
		return server.rrqs[0]?.bytes.toString("latin1").split("\0").slice(2, -1).join(" ");
	};

	it("asks for more bytes in a block as the years go by", async () => {
		assert.equal(await options("pi4-2019-09"), "octet tsize 0");
		for (const name of ["pi4-2019-12", "pi4-2020-01", "cm4-2021", "pi4-2022-02"]) {
			assert.equal(await options(name), "octet tsize 0 blksize 1024", name);
		}
		for (const name of ["pi4-2022-10", "cm4-2026", "pi5-2023-10-18", "cm5-2026"]) {
			assert.equal(await options(name), "octet tsize 0 blksize 1468", name);
		}
	});
});

describe("the REQUEST of a bootloader", () => {
	it("says nothing of PXE before mid-2020", async () => {
		for (const [name, length] of [
			["pi4-2020-01", 275],
			["pi4-2020-04", 275],
			["pi4-2021", 309],
			["pi5-2024", 309],
		] as const) {
			const { server } = await powerOn(name, { offers: [{ ...OFFER_FOR_ALL, delay: 0 }] });
			assert.equal(server.dhcp[1]?.length, length, name);
			assert.equal(server.dhcp[1]?.[242], 3);
		}
	});
});

/** Two entries of a boot menu, as two lines of `pxe-service` in dnsmasq make. */
const TWO_ENTRIES = Buffer.concat([
	Buffer.from([6, 1, 3, 10, 4, 0, 0x50, 0x58, 0x45, 9, 28, 0, 0, 17]),
	Buffer.from("Raspberry Pi Boot"),
	Buffer.from([0x80, 0, 5]),
	Buffer.from("other"),
	Buffer.from([255]),
]);

describe("the OFFER that a bootloader understands", () => {
	const server = (name: string, code: number, data: Buffer | string) => {
		const options = [
			{ code: 60, data: Buffer.from("PXEClient") },
			{ code, data: Buffer.from(data) },
		];
		const message = request({ xid: 1, chaddr: Buffer.alloc(6), options });
		return tftpServerOf({ source: "10.0.0.9", message }, modelOf(name).dhcp);
	};

	it("has one menu entry before 2020", () => {
		for (const name of ["pi4-2019-09", "pi4-2019-12"]) {
			assert.equal(server(name, 43, BOOT_MENU), "10.0.0.9", name);
			assert.equal(server(name, 43, TWO_ENTRIES), undefined, name);
		}
		for (const name of ["pi4-2020-01", "pi4-2026", "pi5-2026", "pi3bp"]) {
			assert.equal(server(name, 43, TWO_ENTRIES), "10.0.0.9", name);
		}
	});

	it("ends option 66 with three digits in December 2019", () => {
		assert.equal(server("pi4-2019-12", 66, "10.0.0.66"), undefined);
		assert.equal(server("pi4-2019-12", 66, "10.0.0.166"), "10.0.0.166");
		for (const name of ["pi4-2019-09", "pi4-2020-01"]) assert.equal(server(name, 66, "10.0.0.66"), "10.0.0.66");
	});

	it("came through no relay for an old one, and for the ROM of a 3B", () => {
		const takes = (name: string) => modelOf(name).dhcp.takesRelayed;
		assert.deepEqual(["pi4-2020-04", "pi4-2021", "pi5-2024", "pi3bp"].map(takes), [false, true, true, true]);
	});
});

const FILES = [
	"start.elf",
	"fixup.dat",
	"start4.elf",
	"fixup4.dat",
	"kernel_2712.img",
	"kernel8.img",
	"kernel7l.img",
	"kernel7.img",
	"kernel.img",
	"bcm2708-rpi-b.dtb",
	"bcm2709-rpi-2-b.dtb",
	"bcm2710-rpi-2-b.dtb",
	"bcm2711-rpi-4-b.dtb",
	"bcm2711-rpi-cm4.dtb",
	"bcm2712-rpi-5-b.dtb",
	"bcm2712-rpi-500.dtb",
	"bcm2712-rpi-cm5-cm5io.dtb",
	"bcm2712-rpi-cm5l-cm4io.dtb",
	"cmdline.txt",
];

const names = (requests: readonly string[], pattern: RegExp) => requests.filter((request) => pattern.test(request));

/** The requests of a whole boot, without the serial. */
async function boot(name: string, config: string, settings?: EepromSettings, prefix?: string) {
	const serial = prefix ?? `${modelOf(name).sample.serial.slice(-8)}/`;
	const files = filesOf(serial, FILES, { "config.txt": config, "tryboot.txt": "kernel=kernel7l.img\n" });
	const { report, server } = await powerOn(name, { files, offers: [PROXY_OFFER, OFFER_FOR_ALL] }, { settings });
	const requests = server.requests.map((request) =>
		request.startsWith(serial) ? request.slice(serial.length) : request,
	);
	return { report, requests };
}

describe("the files of a model", () => {
	it("are those of its board", async () => {
		for (const [name, tree, kernel] of [
			["pi1b", "bcm2708-rpi-b.dtb", "kernel.img"],
			["pi2b-v1.1", "bcm2709-rpi-2-b.dtb", "kernel7.img"],
			["pi2b", "bcm2710-rpi-2-b.dtb", "kernel8.img"],
			["cm4-2021", "bcm2711-rpi-cm4.dtb", "kernel8.img"],
			["pi5d0-2026", "bcm2712-rpi-5-b.dtb", "kernel_2712.img"],
			["pi500p-2026", "bcm2712-rpi-500.dtb", "kernel_2712.img"],
			["cm5-2026", "bcm2712-rpi-cm5-cm5io.dtb", "kernel_2712.img"],
			["cm5l-2026", "bcm2712-rpi-cm5l-cm4io.dtb", "kernel_2712.img"],
		] as const) {
			const { report, requests } = await boot(name, "arm_64bit=1\n");
			assert.equal(report.error, undefined, name);
			assert.equal(report.kernelName, kernel, name);
			assert.deepEqual(names(requests, /\.dtb G/), [`${tree} G`], name);
		}
		const { requests } = await boot("pi5d0-2026", "");
		assert.deepEqual(names(requests, /rpi-5-b/), ["bcm2712d0-rpi-5-b.dtb x", "bcm2712-rpi-5-b.dtb G"]);
	});

	it("begin with no bootcode.bin where that lies on a card", async () => {
		for (const name of ["pi1b", "pi2b-v1.1"]) {
			const { report, requests } = await boot(name, "");
			assert.equal(requests[0], "start.elf P", name);
			assert.equal(report.steps.filter(({ detail }) => detail === "DISCOVER").length, 1);
		}
	});

	it("are 32-bit ones when config.txt says so, or nothing of it, after the recovery systems of all names", async () => {
		const four = await boot("cm4-2026", "arm_64bit=0\n");
		assert.equal(four.report.kernelName, "kernel7l.img");
		assert.deepEqual(names(four.requests, /recovery.*img|^kernel|armstub/), [
			"recovery8-32.img x",
			"recovery7l.img x",
			"recovery7.img x",
			"recovery.img x",
			"kernel8-32.img x",
			"kernel7l.img P",
			"armstub8-32-gic.bin x",
			"kernel7l.img G",
		]);
		const unsaid = await boot("cm4-2026", "");
		assert.deepEqual(names(unsaid.requests, /^recovery8|armstub/), [
			"recovery8.img x",
			"recovery8-32.img x",
			"armstub8-gic.bin x",
		]);
		const old = await boot("pi2b-v1.1", "arm_64bit=1\n");
		assert.deepEqual(names(old.requests, /armstub/), ["armstub8-32.bin x", "armstub7.bin x", "armstub.bin x"]);
	});

	it("ask for news for the USB chip on the first boards, and for the overlay map only on demand since 2026-06", async () => {
		assert.equal(names((await boot("pi4-2020-04", "")).requests, /vl805/).length, 1);
		assert.equal(names((await boot("pi4-2026", "")).requests, /vl805/).length, 0);
		const map = async (name: string, config: string) =>
			names((await boot(name, config)).requests, /overlay_map/).length;
		assert.equal(await map("pi5-2026-05", ""), 1);
		assert.equal(await map("pi5-2026", ""), 0);
		assert.equal(await map("pi5-2026", "dtoverlay=vc4-kms-v3d\n"), 1);
	});
});

describe("what is set in the EEPROM", () => {
	it("goes before the names", async () => {
		for (const [settings, prefix] of [
			[{ prefix: "mac" }, "88-a2-9e-11-4e-cc/"],
			[{ prefix: { text: "lab/" } }, "lab/"],
			[{ prefix: { text: "lab-" } }, "lab-"],
			[{ prefix: { text: "" } }, ""],
		] as const) {
			const { report } = await boot("pi5", "", settings, prefix);
			assert.equal(report.error, undefined, prefix);
			assert.ok(report.sizes.has(`${prefix}kernel_2712.img`), prefix);
		}
		const { report } = await boot("pi4", "", { prefix: "mac" }, "e4-5f-01-09-02-f7/");
		assert.ok(report.sizes.has("e4-5f-01-09-02-f7/kernel8.img"));
	});

	it("does without DHCP, or without its TFTP server", async () => {
		const client = { address: "10.0.0.5", mask: "255.255.255.0", router: "10.0.0.1" };
		const alone = await powerOn("pi4", {}, { settings: { client, tftpServer: "127.0.0.1" } });
		assert.deepEqual([alone.server.dhcp.length, alone.server.requests[0]], [0, "91cdf03d/start4.elf x"]);
		const offers = [{ yiaddr: "10.9.8.7", options: [] }];
		const half = await powerOn("pi4", { offers }, { settings: { tftpServer: "127.0.0.1" } });
		assert.ok(half.server.dhcp.length > 0);
		assert.equal(half.report.serverAddress, "127.0.0.1");
	});

	it("lets tryboot.txt take the place of config.txt for one boot", async () => {
		for (const name of ["pi4", "pi3b-card"]) {
			const { report, requests } = await boot(name, "kernel=none.img\n", { tryboot: true });
			assert.equal(report.kernelName, "kernel7l.img", name);
			assert.deepEqual(names(requests, /config\.txt/), []);
		}
	});
});

describe("a ROM", () => {
	it("gives up for ever when nobody answers", async () => {
		const own = { style: { ...modelOf("pi3bp").dhcp, dies: true }, timing: { retry: 50, total: 120 } };
		const model: Model = { ...modelOf("pi3bp"), boot: (firmware) => firmware.dhcp(own) };
		const { report } = await powerOn("pi3bp", { deaf: 99 }, { model });
		assert.match(
			report.error ?? "",
			/waited 0.12 s for a TFTP server; .*; it asks no more until it is switched off and on/,
		);
	});
});
