/**
 * Whatever goes wrong with a Pi, the page says it: what it means, what was seen, what to do. Virtual Pis play the failures, all of
 * them at the same time, beside a home router; then each boots after all.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Device, DeviceList, DiagnosisPage } from "@pi-netboot/api";
import type { Page } from "playwright-core";
import { violations } from "../harness/axe.ts";
import { bootLab } from "../harness/boot-lab.ts";
import { browserIn, PAGE_PROGRAMS } from "../harness/browser.ts";
import { type Background, must } from "../harness/command.ts";
import { ROUTER_ADDRESS, SERVER_ADDRESS } from "../harness/lab.ts";
import { lacks } from "../harness/needs.ts";
import type { Router } from "../harness/router.ts";
import { DESK, Screen } from "../harness/screen.ts";
import { makeSmallImage } from "../harness/small-image.ts";
import { assertBooted, powerOn, switchOn, type VirtualPi } from "../harness/virtual-pi.ts";
import { BYSTANDERS } from "../netns/dhcp-frames.ts";

const MOUTH = fileURLToPath(new URL("../netns/dhcp-mouth.ts", import.meta.url));
/** Milliseconds: the longest patience of a rule is a minute, and a Pi needs some time to get there. */
const PATIENCE = 100_000;

interface Actor extends VirtualPi {
	readonly host: string;
	/** As the API has it. */
	readonly id: string;
	/** The rule that speaks, and what it says. */
	readonly code: string;
	readonly says: RegExp;
	readonly flags: readonly string[];
	/** What it is set to before: an image of its own, or its intent. */
	readonly set?: object;
}

let count = 0;

/** A Pi with a host of its own in the lab. */
function actor(model: string, code: string, says: RegExp, flags: readonly string[], set?: object): Actor {
	const number = (++count).toString(16).padStart(2, "0");
	const isPi3 = model.startsWith("pi3");
	const mac = `${isPi3 ? "b8:27:eb" : "e4:5f:01"}:77:00:${number}`;
	const serial = `1a7700${number}`;
	// The ROM of a 3B does not know its serial.
	const id = model === "pi3b" ? mac.replaceAll(":", "") : serial;
	return { model, mac, serial, host: `pi${number}`, id, code, says, flags, ...(set && { set }) };
}

const plays = (name: string) => ["--plays", name];

/** In the order in which they are switched on: those first whose rule waits the longest. */
const ACTORS: readonly Actor[] = [
	actor("pi4", "kernel-silent", /^It got its kernel a minute ago/, plays("dead-kernel")),
	actor("pi4-2021", "firmware-stopped", /^It stopped asking for boot files; .* fixup|config/, plays("stops")),
	actor("pi4", "no-userspace", /^It mounted its root, and no init system starts/, plays("no-init")),
	actor("pi4", "file-timeout", /^Its bootloader gave up \S+ after 30 seconds/, plays("slow")),
	actor("pi4", "replies-lost", /^It asks for boot files, but our replies/, plays("no-acks")),
	actor("pi4", "no-mount", /^Its initramfs has an address, but nothing came/, plays("no-nfs")),
	actor("pi4", "portmap-only", /^It found the portmapper, but never asked/, plays("portmap-only")),
	actor("pi5", "reboot-loop", /^It mounted its root \d times in a row/, plays("reboots")),
	actor("pi5", "config-loop", /^It reads config.txt over and over/, plays("config-loop")),
	actor("pi4", "offers-ignored", /^Our answers do not reach it/, plays("deaf")),
	actor("pi5-2023-10-18", "old-bootloader", /older than November 2023/, plays("deaf")),
	actor("pi3b", "mask-rom", /^The ROM of this Pi 3B hears us badly/, plays("deaf")),
	actor("pi4", "mount-refused", /^Its root \S+ was refused/, plays("old-root")),
	actor("pi4", "recovery-loaded", /^The image holds recover4\.elf/, [], { imageId: "rescue" }),
	actor("pi4", "boot-file-missing", /start4\.elf is not in it/, [], { imageId: "bare" }),
	actor("pi4", "no-image", /^It is not answered: its image broken is not ready/, [], { imageId: "broken" }),
	actor("pi4", "left-alone", /^It is set to boot from its own disk/, [], { intent: "disk" }),
	actor("pi4", "own-disk", /^It booted a system from its own disk/, plays("own-disk"), {}),
];

/** Boots well, and sends the log of its bootloader. */
const GOOD = actor("pi5", "", /^/, ["--netconsole"]);
/** Sends no REQUEST, so that the neighbour table proves its address. */
const OWNER = actor("pi3bp", "", /^/, []);
/** Wants the address of that one. */
const THIEF = actor("pi4", "address-conflict", /^It shares the address 10\.77\.0\.\d+ with 1a7700/, []);
/** Is there before the router is. */
const LONELY = actor("pi4", "no-address-server", /^No DHCP server on this network/, []);
/** Nobody knows it, and it never asks to boot from here. */
const STRANGER = actor("pi4", "", /^/, plays("own-disk"));

const skip = await lacks([...PAGE_PROGRAMS, "dnsmasq"]);
const running: Background[] = [];
/** Those that are on before the router is. */
let early: readonly Background[] = [];
let router: Router;
let screen: Screen;
let page: Page;

const room = bootLab(skip, async (made) => {
	const { lab, images, folder } = made;
	// On a bad link start4.elf takes longer than a bootloader waits.
	const small = { kernelBytes: 250_001 };
	makeSmallImage(images, folder, { ...small, name: "raspios.img" });
	makeSmallImage(images, folder, { ...small, name: "rescue.img", bootFiles: { "recover4.elf": 0.1 } });
	makeSmallImage(images, folder, { ...small, name: "bare.img", without: ["start4.elf", "start.elf"] });
	writeFileSync(join(images, "broken.img"), "no image at all".repeat(100));
	for (const { host, mac } of [...ACTORS, GOOD, OWNER, THIEF, LONELY, STRANGER]) await lab.addHost(host, { mac });
	await lab.addHost("pc", { mac: "02:00:5e:00:53:02" });
	await must(["ip", "-n", lab.host("pc"), "route", "add", "default", "dev", "pc0"]);
	const server = await made.serve({ images: ["raspios", "rescue", "bare"], flags: ["--interface", "srv0"] });
	await server.api("PUT", "/api/v1/images/default", { id: "raspios" });
	// Those that are to be set to something get known meanwhile.
	early = [LONELY, ...ACTORS.filter(({ set }) => set !== undefined)].map((pi) =>
		switchOn(lab, pi.host, pi, pi === LONELY ? [] : plays("deaf")),
	);
	running.push(...early);
	made.atEnd(() => Promise.all(running.map((pi) => pi.stop("SIGKILL"))));
	const browser = await browserIn(made);
	screen = await Screen.enter(await browser.newContext({ viewport: DESK }), server);
	page = screen.page;
});

function on(pi: Actor, flags = pi.flags): Background {
	const started = switchOn(room().lab, pi.host, pi, flags);
	running.push(started);
	return started;
}

async function off(...pis: readonly Background[]): Promise<void> {
	await Promise.all(pis.map((pi) => pi.stop()));
}

const api = <T>(path: string) => room().server.api<T>("GET", `/api/v1/${path}`);

async function known({ id }: Actor): Promise<Device | undefined> {
	return (await api<DeviceList>("devices")).devices.find((device) => device.id === id);
}

const cardOf = ({ id }: Actor) => page.getByRole("article").filter({ has: page.locator(`a[href="/devices/${id}"]`) });

/** Waits for the rule's sentence on the Pi's card, and for nothing else there. */
async function cardSays(pi: Actor): Promise<void> {
	const card = cardOf(pi);
	const text = card.getByText(pi.says);
	await text.waitFor({ timeout: PATIENCE }).catch(async (error: unknown) => {
		const { diagnosis } = (await known(pi)) ?? {};
		const shown = (await card.allInnerTexts()).join();
		throw new Error(`${pi.code}: the server says ${JSON.stringify(diagnosis)}, the card: ${shown}`, { cause: error });
	});
}

describe("what goes wrong with a Pi", { skip }, () => {
	it("without a DHCP server: nobody gives it an address", async () => {
		await cardSays(LONELY);
		await off(...early);
		router = await room().startRouter();
		// It is refused, but looks for other DHCP servers before.
		await room().server.refusal("PATCH", "/api/v1/network", { mode: "full" });
		for (const { id, set = {} } of ACTORS) {
			if (Object.keys(set).length > 0) await room().server.api("PATCH", `/api/v1/devices/${id}`, set);
		}
	});

	it("is on its card, in the rule's words", async () => {
		for (const pi of ACTORS) on(pi);
		const [good, owner] = await Promise.all([GOOD, OWNER].map((pi) => powerOn(room().lab, pi.host, pi, pi)));
		for (const report of [good, owner]) assertBooted(report ?? assert.fail());
		on(THIEF, plays(`claims:${owner?.address}`));
		for (const pi of [THIEF, ...ACTORS.toReversed()]) await cardSays(pi);
		for (const pi of [THIEF, ...ACTORS]) assert.equal((await known(pi))?.diagnosis?.code, pi.code);
		await cardOf(GOOD).getByText("Running").waitFor();
	});

	it("is on its page, with what was seen and what to do, and in its log", async () => {
		for (const pi of [ACTORS[0], ACTORS[5], ACTORS[15]]) {
			if (pi === undefined) throw new Error("there are too few Pis");
			const { message = "", seen = "", fix = "" } = (await known(pi))?.diagnosis ?? {};
			await screen.go(`/devices/${pi.id}`);
			await page.getByText(message, { exact: true }).first().waitFor();
			await page.getByText(`Seen: ${seen}`, { exact: true }).waitFor();
			await page.getByText(fix, { exact: true }).waitFor();
			await page.getByRole("log").getByText(`${message} ${fix}`).waitFor();
		}
	});

	it("is listed with the reason where it is none of ours", async () => {
		const pc = BYSTANDERS.find(({ name }) => name === "a PC's UEFI") ?? assert.fail();
		await must(room().lab.on("pc", [process.execPath, MOUTH, pc.bytes.toString("hex")]));
		await powerOn(room().lab, STRANGER.host, STRANGER, { flags: STRANGER.flags });
		await screen.go("/devices");
		const seen = screen.region("Seen, but not booting from here").getByRole("listitem");
		await seen
			.filter({ hasText: pc.mac })
			.getByText(/is no Raspberry Pi \(client architecture 0x0007\)/)
			.waitFor();
		await seen
			.filter({ hasText: STRANGER.mac })
			.getByText(/booted a system from its own disk/)
			.waitFor();
		assert.deepEqual(await violations(page), []);
	});

	it("comes with what the bootloader itself says, beside the Pi that says it", async () => {
		await screen.go(`/devices/${GOOD.id}`);
		const log = page.getByRole("log");
		await log.getByText(`NET_BOOT: ${GOOD.mac} wait for link`).waitFor();
		await log.getByText(`TFTP_GET: ${GOOD.mac} ${SERVER_ADDRESS} ${GOOD.id}/config.txt`).first().waitFor();
		await screen.go(`/devices/${ACTORS[0]?.id}`);
		await page.getByRole("log").getByText("boots raspios").waitFor();
		assert.equal(await page.getByRole("log").getByText("NET_BOOT").count(), 0);
	});

	it("is over when the Pi boots after all, and stays in its history", async () => {
		await off(...running.splice(0));
		await screen.go("/devices");
		const codes = ["kernel-silent", "replies-lost", "no-mount", "offers-ignored"];
		const mended = ACTORS.filter(({ code }) => codes.includes(code));
		await Promise.all(mended.map(boots));
		for (const pi of mended) {
			await cardOf(pi).getByText("Running").waitFor();
			assert.equal((await known(pi))?.diagnosis, undefined);
			const { diagnoses } = await api<DiagnosisPage>(`devices/${pi.id}/diagnoses`);
			const last = diagnoses.find(({ code }) => code === pi.code) ?? assert.fail(JSON.stringify(diagnoses));
			assert.ok(last.endedAt !== null && last.endedAt > last.at && last.seen !== "", JSON.stringify(last));
		}
		const [one] = mended;
		await screen.go(`/devices/${one?.id}`);
		const past = screen.region("What was wrong before");
		await past.getByText(one?.says ?? "").waitFor();
		await past.getByText(/^Seen: It fetched its kernel/).waitFor();
	});

	it("with two DHCP servers, or without an address: it says which", async () => {
		const server = room().server;
		const [pi] = ACTORS;
		if (pi === undefined) throw new Error("there are no Pis");
		await screen.go("/devices");
		const give = (start: string, end: string) =>
			server.api("PATCH", "/api/v1/network", { mode: "full", insist: true, range: { start, end } });
		// The router, which knows the Pi, answers at once; we look first whether somebody has the address.
		await give("10.77.0.20", "10.77.0.29");
		const torn = on(pi);
		await cardSays({
			...pi,
			code: "two-dhcp-servers",
			says: /^It took its address from the DHCP server 10\.77\.0\.254/,
		});
		await off(torn);
		await router.stop();
		await give(ROUTER_ADDRESS, ROUTER_ADDRESS);
		on(pi);
		await cardSays({ ...pi, code: "no-address-left", says: /^It got no address: all of 10\.77\.0\.254-/ });
		assert.deepEqual(screen.complaints(), []);
	});
});

async function boots(pi: Actor): Promise<void> {
	assertBooted(await powerOn(room().lab, pi.host, pi));
}
