import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Model } from "./board.ts";
import { LoopbackNetwork } from "./loopback.ts";
import { findModel } from "./models/index.ts";
import { type BootOptions, type BootTiming, bootPi } from "./pi.ts";
import { FakeNfs, type FakeNfsOptions } from "./testing/fake-nfs.ts";
import { type FakeOptions, FakeServer } from "./testing/fake-server.ts";

/** An address that no other run of these tests has at the same time. */
const OWN = `127.77.${20 + (process.pid % 200)}.${1 + (Math.floor(process.pid / 200) % 250)}`;

/** Nothing is sent twice, however slow the machine is. */
const PATIENT: BootTiming = {
	firmware: { dhcp: { retry: 30_000, total: 30_000 }, tftp: { retry: 30_000, file: 30_000 } },
	kernel: {
		dhcp: { retry: 30_000, tries: 1 },
		nfs: { jukebox: 1, jukeboxRetries: 3 },
		call: 30_000,
		udpRetry: 30_000,
		udpCall: 30_000,
	},
};

const CONFIG = "arm_64bit=1\nkernel=kernel8.img\ninitramfs initramfs8 followkernel\ndtoverlay=vc4-kms-v3d\n";

/** A stock boot directory, under a prefix. */
function bootFolder(prefix: string, changes: Readonly<Record<string, string | undefined>> = {}): Map<string, Buffer> {
	const stock: Record<string, string | undefined> = {
		"config.txt": CONFIG,
		"cmdline.txt": "root=/dev/nfs nfsroot=127.0.0.1:/pi/x,vers=3,tcp,nolock rw ip=dhcp\n",
		"bcm2710-rpi-3-b-plus.dtb": "tree 3",
		"bcm2711-rpi-4-b.dtb": "tree 4",
		"bcm2711-rpi-400.dtb": "tree 400",
		"bcm2712-rpi-5-b.dtb": "tree 5",
		"overlays/vc4-kms-v3d.dtbo": "overlay",
		...changes,
	};
	const names = ["start.elf", "fixup.dat", "start4.elf", "fixup4.dat", "kernel8.img", "initramfs8"];
	for (const name of names) if (!(name in stock)) stock[name] = name.repeat(300);
	const files = new Map<string, Buffer>();
	for (const [name, text] of Object.entries(stock))
		if (text !== undefined) files.set(`${prefix}${name}`, Buffer.from(text));
	return files.set("bootcode.bin", Buffer.from("bootcode"));
}

function modelOf(name: string): Model {
	const model = findModel(name);
	assert.ok(model);
	return model;
}

async function boot(
	name: string,
	fake: FakeOptions,
	options: Partial<BootOptions> = {},
	nfs?: Partial<FakeNfsOptions>,
) {
	const server = await FakeServer.start(fake);
	const files = await FakeNfs.start({ path: "/pi/x", root: {}, ...nfs });
	const model = modelOf(name);
	const ports = { ...server.ports, portmap: files.port, nfs: files.port };
	const network = await LoopbackNetwork.open({ server: "127.0.0.1", ports, address: OWN, signal: options.signal });
	try {
		const identity = model.sample;
		const report = await bootPi({
			model,
			identity,
			network,
			firmwareOnly: nfs === undefined,
			timing: PATIENT,
			...options,
		});
		if (report.ok) await server.idle();
		return { report, server, files };
	} finally {
		await network.close();
		server.close();
		files.close();
	}
}

/** `P` a probe, `G` a whole file, `x` one that is not there. */
const SEQUENCES: Readonly<Record<string, string>> = {
	pi3bp: `bootcode.bin G; bootsig.bin x;
		S/start.elf P; S/autoboot.txt x; S/start.elf P; S/config.txt G; S/recovery.elf x; S/start.elf G; S/fixup.dat G;
		S/recovery.elf x; S/config.txt P; S/config.txt G; S/dt-blob.bin x; S/recovery.elf x; S/config.txt P; S/config.txt G;
		S/bootcfg.txt x; S/recovery8.img x; S/kernel8.img P; S/kernel8.img P; S/initramfs8 P; S/initramfs8 P; S/initramfs8 P;
		S/initramfs8 G; S/bcm2710-rpi-3-b-plus.dtb P; S/bcm2710-rpi-3-b-plus.dtb G; S/overlays/overlay_map.dtb x;
		S/config.txt P; S/config.txt G; S/overlays/vc4-kms-v3d.dtbo P; S/overlays/vc4-kms-v3d.dtbo G; S/cmdline.txt G;
		S/armstub8.bin x; S/kernel8.img P; S/kernel8.img G`,
	"pi4-2026": `S/start4.elf P; S/config.txt G; S/pieeprom.sig x; S/recover4.elf x; S/recovery.elf x; S/start4.elf G;
		S/fixup4.dat G; S/recovery.elf x; S/config.txt P; S/config.txt G; S/dt-blob.bin x; S/recovery.elf x; S/config.txt G;
		S/config.txt G; S/bootcfg.txt x; S/bcm2711-rpi-4-b.dtb P; S/bcm2711-rpi-4-b.dtb G; S/overlays/overlay_map.dtb x;
		S/config.txt G; S/overlays/vc4-kms-v3d.dtbo P; S/overlays/vc4-kms-v3d.dtbo G; S/cmdline.txt G; S/recovery8.img x;
		S/kernel8.img P; S/armstub8-gic.bin x; S/initramfs8 P; S/initramfs8 G; S/kernel8.img G`,
	"pi5-2026": `S/config.txt G; S/pieeprom.sig x; S//config.txt G; S//config.txt G; S/kernel8.img P; S/initramfs8 G;
		S/bcm2712-rpi-5-b.dtb G; S/overlays/overlay_map.dtb x; S/overlays/vc4-kms-v3d.dtbo P; S/overlays/vc4-kms-v3d.dtbo G;
		S//cmdline.txt G; S/armstub8-2712.bin x; S/kernel8.img G`,
};

const SERIALS: Readonly<Record<string, string>> = {
	pi3bp: "8b07bcc6",
	"pi4-2021": "e0ff06da",
	"pi4-2026": "91cdf03d",
	"pi5-2026": "7bf18f79",
};

describe("the firmware", () => {
	for (const [name, script] of Object.entries(SEQUENCES)) {
		it(`of ${name} asks for its files in the order of the captures`, async () => {
			const serial = SERIALS[name] ?? "";
			const { report, server } = await boot(name, { files: bootFolder(`${serial}/`) });
			assert.equal(report.error, undefined);
			const expected = script.split(";").map((step) => step.trim().replace(/^S\//, `${serial}/`));
			assert.deepEqual(server.requests, expected);
			assert.equal(report.kernelName, "kernel8.img");
			assert.equal(report.initramfsName, "initramfs8");
			assert.equal(report.config, CONFIG);
			assert.deepEqual(report.files.get(`${serial}/kernel8.img`), bootFolder("").get("kernel8.img"));
		});
	}

	it("sends the options and counts the ports of its stages", async () => {
		const options = (bytes: Buffer) => bytes.toString("latin1", 2).split("\0").slice(1, -1).join(" ");
		const three = (await boot("pi3bp", { files: bootFolder("8b07bcc6/") })).server.rrqs;
		assert.deepEqual(
			three.slice(0, 10).map(({ port, bytes }) => `${port} ${options(bytes)}`),
			[
				"49152 octet",
				"49152 octet",
				...Array.from({ length: 7 }, (_, index) => `${49153 + index} octet tsize 0`),
				"49153 octet tsize 0",
			],
		);
		const four = (await boot("pi4-2021", { files: bootFolder("e0ff06da/") })).server.rrqs;
		const ports = four.map(({ port }) => port);
		assert.deepEqual(
			four.slice(0, 7).map(({ bytes }) => options(bytes)),
			Array(7).fill("octet tsize 0 blksize 1024"),
		);
		assert.equal(ports[1], (ports[0] ?? 0) + 1);
		assert.equal(`${ports[7]} ${options(four[7]?.bytes ?? Buffer.alloc(0))}`, "49153 octet tsize 0 blksize 1468");
		const five = (await boot("pi5", { files: bootFolder("7bf18f79/") })).server.rrqs;
		assert.ok(five.every(({ bytes }) => options(bytes) === "octet tsize 0 blksize 1468"));
	});

	it("drops the prefix when the folder of its serial is missing", async () => {
		for (const [name, first] of [
			["pi4-2026", "91cdf03d/start4.elf x"],
			["pi5-2026", "7bf18f79/config.txt x"],
			["pi3bp", "bootcode.bin G"],
		] as const) {
			const { report, server } = await boot(name, { files: bootFolder("") });
			assert.equal(report.error, undefined);
			assert.equal(server.requests[0], first);
			assert.ok(report.files.has("kernel8.img"));
		}
	});

	it("of a Pi 3B+ asks DHCP twice", async () => {
		const { server } = await boot("pi3bp", { files: bootFolder("8b07bcc6/") });
		assert.equal(server.dhcp.length, 2);
		assert.deepEqual(server.dhcp[0], server.dhcp[1]);
	});

	it("of a Pi 3B does not know its serial at first, and waits for a late OFFER with three blanks", async () => {
		const offers = [{ options: [[43, "Raspberry Pi Boot   "]] as const, delay: 1100 }];
		const files = bootFolder("a2ef5644/", { "bcm2710-rpi-3-b.dtb": "tree" });
		const { report, server } = await boot("pi3b", { files, offers });
		assert.equal(report.error, undefined);
		const [rom, bootcode] = [server.dhcp[0], server.dhcp.at(-1)];
		const tail = `${Buffer.from("PXEClient:Arch:00000:UNDI:002001").toString("hex")}ff`;
		assert.equal(rom?.length, 320);
		assert.equal(
			rom?.subarray(240).toString("hex"),
			`350101370c2b3c438081828384858687425d0200005e03010201611100${"44".repeat(16)}3c20${tail}`,
		);
		assert.equal(bootcode?.length, 322);
		assert.ok(bootcode?.includes(Buffer.from(`611100${"4456efa2".repeat(4)}`, "hex")));
	});

	it("obeys config.txt: another kernel, an automatic initramfs, none, sections and includes", async () => {
		const folder = (config: string, more: Record<string, string> = {}) => ({
			files: bootFolder("91cdf03d/", { "config.txt": config, ...more }),
		});
		const other = await boot("pi4", folder("[pi5]\nkernel=no.img\n[pi4]\nkernel=mine.img\n", { "mine.img": "mine" }));
		assert.deepEqual([other.report.kernelName, other.report.initramfsName], ["mine.img", undefined]);
		const auto = await boot("pi4", folder("include more.txt\n", { "more.txt": "arm_64bit=1\nauto_initramfs=1\n" }));
		assert.deepEqual([auto.report.kernelName, auto.report.initramfsName], ["kernel8.img", "initramfs8"]);
		const commented = await boot("pi4", folder("arm_64bit=1\n# not used: initramfs initramfs8 followkernel\n"));
		assert.equal(commented.report.initramfsName, undefined);
		const prefixed = await boot(
			"pi4",
			folder("os_prefix=v2/\n", { "v2/kernel8.img": "k", "v2/cmdline.txt": "c", "v2/bcm2711-rpi-4-b.dtb": "d" }),
		);
		assert.deepEqual([prefixed.report.kernelName, prefixed.report.cmdline], ["v2/kernel8.img", "c"]);
	});

	it("of a Pi 5 takes kernel_2712.img before kernel8.img", async () => {
		const files = bootFolder("7bf18f79/", {
			"config.txt": "auto_initramfs=1\n",
			"kernel_2712.img": "k",
			initramfs_2712: "i",
		});
		const { report } = await boot("pi5", { files });
		assert.deepEqual([report.kernelName, report.initramfsName], ["kernel_2712.img", "initramfs_2712"]);
	});

	it("says in a sentence what keeps it from booting", async () => {
		const cases: [string, Record<string, string | undefined>, RegExp][] = [
			["pi4", { "start4.elf": undefined }, /start4.elf is not on the server/],
			["pi4", { "kernel8.img": undefined }, /no kernel on the server: the Pi asked for kernel8.img in 91cdf03d\//],
			["pi4", { "cmdline.txt": undefined }, /no cmdline.txt/],
			["pi4", { "bcm2711-rpi-4-b.dtb": undefined }, /no device tree/],
			["pi4", { "recovery.elf": "r" }, /would start that in place of its system/],
			["pi5", { "kernel8.img": undefined }, /no kernel on the server/],
		];
		for (const [name, changes, expected] of cases) {
			const prefix = `${modelOf(name).sample.serial.slice(-8)}/`;
			const { report } = await boot(name, { files: bootFolder(prefix, changes) });
			assert.equal(report.ok, false);
			assert.match(report.error ?? "", expected);
			assert.equal(report.steps.at(-1)?.step, "failed");
		}
	});

	it("finds out that a file came wrong", async () => {
		const checkFiles = async (name: string) => (name === "kernel8.img" ? Buffer.from("another") : undefined);
		const { report } = await boot("pi4", { files: bootFolder("91cdf03d/") }, { checkFiles });
		assert.match(report.error ?? "", /kernel8.img came wrong: 3300 bytes, expected 7; the first difference is at 0/);
	});

	it("leaves its files in a folder, without the serial", async () => {
		const saveTo = await mkdtemp(join(tmpdir(), "simulator-"));
		try {
			const { report } = await boot("pi5", { files: bootFolder("7bf18f79/") }, { saveTo });
			assert.equal(report.error, undefined);
			assert.equal(await readFile(join(saveTo, "config.txt"), "latin1"), CONFIG);
			assert.equal(await readFile(join(saveTo, "overlays/vc4-kms-v3d.dtbo"), "latin1"), "overlay");
			assert.match(await readFile(join(saveTo, "cmdline.txt"), "latin1"), /^root=/);
		} finally {
			await rm(saveTo, { recursive: true });
		}
	});

	it("writes no file outside of the folder", async () => {
		const saveTo = await mkdtemp(join(tmpdir(), "simulator-"));
		try {
			const files = bootFolder("91cdf03d/", { "config.txt": "kernel=../../evil.img\n" });
			files.set("91cdf03d/../../evil.img", Buffer.from("evil"));
			const { report } = await boot("pi4", { files }, { saveTo });
			assert.match(report.error ?? "", /evil.img" is not the name of a file/);
		} finally {
			await rm(saveTo, { recursive: true });
		}
	});

	it("stops when it is told to", async () => {
		const controller = new AbortController();
		const onStep = ({ step }: { step: string }) => {
			if (step === "dhcp") controller.abort(new Error("the cable was pulled"));
		};
		const { report } = await boot("pi4", { deaf: 10 }, { signal: controller.signal, onStep });
		assert.equal(report.error, "the cable was pulled");
	});

	it("starts over when nobody answers, where it lies in an EEPROM, for as long as it has power", async () => {
		const dhcp = { retry: 50, total: 100 };
		const timing = { ...PATIENT, firmware: { ...PATIENT.firmware, dhcp } };
		const files = bootFolder("91cdf03d/");
		const { report } = await boot("pi4", { files, deaf: 5 }, { timing, startsOver: true });
		assert.equal(report.error, undefined);
		assert.ok(report.steps.some(({ detail }) => detail.endsWith("it starts over")));
		const impatient = await boot("pi4", { files, deaf: 1000 }, { timing });
		assert.match(impatient.report.error ?? "", /^DHCP: waited 0\.1 s/);
		const unplugged = new AbortController();
		const onStep = ({ detail }: { detail: string }) => {
			if (detail.endsWith("it starts over")) unplugged.abort(new Error("the plug was pulled"));
		};
		const options = { timing, startsOver: true, signal: unplugged.signal, onStep };
		assert.equal((await boot("pi4", { files, deaf: 1000 }, options)).report.error, "the plug was pulled");
	});
});

const ROOT = {
	etc: { "os-release": { link: "../usr/lib/os-release" }, hostname: Buffer.from("pi-one\n") },
	usr: { lib: { link: "/usr/lib64" }, lib64: { "os-release": Buffer.from('PRETTY_NAME="Test \\"OS\\""\nID=test\n') } },
	home: {},
};

describe("the kernel", () => {
	const files = bootFolder("91cdf03d/");

	it("with an initramfs asks the port mapper, mounts the root and reads it", async () => {
		const { report, files: nfs } = await boot("pi4", { files }, {}, { root: ROOT, page: 2, fragment: 7 });
		assert.equal(report.error, undefined);
		assert.equal(report.ok, true);
		assert.equal(report.osRelease?.PRETTY_NAME, 'Test "OS"');
		assert.equal(report.hostname, "pi-one");
		assert.deepEqual(report.rootEntries, ["etc", "usr", "home"]);
		const first = ["100000:3", "100000:3", "100005:0", "100005:1", "100003:0", "100003:19", "100003:20", "100227:0"];
		assert.deepEqual(nfs.calls.slice(0, first.length), first);
	});

	it("without an initramfs takes the ports of its command line, and asks no port mapper", async () => {
		const nfs = await FakeNfs.start({ path: "/pi/x", root: ROOT });
		const cmdline = `root=/dev/nfs nfsroot=127.0.0.1:/pi/x,vers=3,tcp,port=${nfs.port},mountport=${nfs.port} rw ip=dhcp`;
		const changes = { "cmdline.txt": cmdline, "config.txt": "arm_64bit=1\n" };
		const { report, server } = await boot("pi4", { files: bootFolder("91cdf03d/", changes) }, {}, { root: {} });
		nfs.close();
		assert.equal(report.error, undefined);
		assert.equal(nfs.calls.includes("100000:3"), false);
		const kernel = server.dhcp.at(-1);
		assert.equal(kernel?.length, 548);
		assert.equal(kernel?.subarray(240, 255).toString("hex"), "350101370901030 60c0f111a282aff".replace(" ", ""));
	});

	it("of an initramfs says DISCOVER as klibc's ipconfig does", async () => {
		const { server } = await boot("pi4", { files }, {}, { root: ROOT });
		const options = server.dhcp.at(-1)?.subarray(240).toString("latin1") ?? "";
		assert.equal(options, "\x35\x01\x01\x37\x0b\x01\x03\x06\x0c\x0f\x11\x1a\x1c\x28\x77\x79\x3c\x0eLinux ipconfig\xff");
	});

	it("waits when the server says NFS3ERR_JUKEBOX", async () => {
		let left = 2;
		const answer = ({ program, procedure }: { program: number; procedure: number }) => {
			if (program !== 100003 || procedure !== 3 || left === 0) return undefined;
			left--;
			return Buffer.from("00000001000000000000000000000000000000000000271800000000", "hex");
		};
		const { report } = await boot("pi4", { files }, {}, { root: ROOT, answer });
		assert.equal(report.error, undefined);
		assert.equal(left, 0);
	});

	it("says what the server refuses", async () => {
		const elsewhere = await boot("pi4", { files }, {}, { root: ROOT, path: "/other" });
		assert.match(
			elsewhere.report.error ?? "",
			/^MOUNT at 127.0.0.1:\d+: MNT \/pi\/x: the server answers MNT3ERR_ACCES$/,
		);
		const empty = await boot("pi4", { files }, {}, { root: {} });
		assert.match(empty.report.error ?? "", /the root has no \/etc\/os-release/);
		const loop = await boot("pi4", { files }, {}, { root: { etc: { link: "/etc" } } });
		assert.match(loop.report.error ?? "", /more than 40 symbolic links/);
		const silent = ({ program }: { program: number }) =>
			program === 100003 ? Buffer.from("00000001000000010000000100000005", "hex") : undefined;
		const weak = await boot("pi4", { files }, {}, { root: ROOT, answer: silent });
		assert.match(weak.report.error ?? "", /NFS at 127.0.0.1:\d+: the server answers AUTH_TOOWEAK/);
		const unregistered = ({ program }: { program: number }) =>
			program === 100000 ? Buffer.from("000000010000000000000000000000000000000000000000", "hex") : undefined;
		const nobody = await boot("pi4", { files }, {}, { root: ROOT, answer: unregistered });
		assert.match(nobody.report.error ?? "", /MOUNT over TCP is not available from 127.0.0.1/);
	});
});
