/** A server with Pis to be looked at: most of them run, and each thing that can be seen on the page happens to one of them. */
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Device, DeviceList, Write } from "@pi-netboot/api";
import { BootLab } from "../../harness/boot-lab.ts";
import { must } from "../../harness/command.ts";
import { eventually } from "../../harness/eventually.ts";
import { SERVER_ADDRESS } from "../../harness/lab.ts";
import { makeSmallImage, type SmallImageOptions } from "../../harness/small-image.ts";
import { assertBooted, type PiReport, powerOn } from "../../harness/virtual-pi.ts";
import { BYSTANDERS } from "../../netns/dhcp-frames.ts";
import { type Actor, castOf, type Part } from "./cast.ts";
import { inventoryOf } from "./inventory.ts";
import { PlayedAgent } from "./played-agent.ts";

const program = (name: string) => fileURLToPath(new URL(name, import.meta.url));
/** What a Pi says takes its time: about twenty acknowledgements a second. */
const SLOW = ["tbf", "rate", "10kbit", "burst", "1540", "latency", "10s"];
const CONFIG = "/opt/netboot-imager/config.json";
const WRITTEN: readonly Part[] = ["writes", "written", "write-fails"];
/** Machines that do not boot from here. */
const OTHERS = ["a PC's UEFI", "a Pi's Linux with dhcpcd"];
/** Pis that are switched on beside each other. */
const ABREAST = 3;
const OS_RELEASE = 'PRETTY_NAME="Raspberry Pi OS Lite (trixie)"\nID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n';
/** Boots everything that the pictures have, has the agent, and what a system has that people log in to. */
const IMAGE: SmallImageOptions = {
	name: "raspios-trixie-lite.img",
	kernelBytes: 1_000_000,
	forAllModels: true,
	ballastMiB: 60,
	files: {
		"etc/os-release": OS_RELEASE,
		"usr/lib/os-release": OS_RELEASE,
		"usr/sbin/sshd": "#!",
		"usr/lib/systemd/system/systemd-networkd.service": "[Unit]\n",
	},
};
/** Lacks what a Compute Module 4 asks for. */
const OLD_IMAGE = { name: "raspios-bookworm-nightly.img", kernelBytes: 300_000, variant: "nightly" };

export class Scene {
	readonly room: BootLab;
	/** By host. */
	readonly #agents = new Map<string, PlayedAgent>();
	#plugged = 0;
	#isOver = false;

	private constructor(room: BootLab) {
		this.room = room;
	}

	/** Nobody was ever here, or so many Pis are. */
	static async open(count: number): Promise<Scene> {
		const scene = new Scene(await BootLab.open());
		try {
			if (count === 0) await scene.room.serve();
			else await scene.#fill(castOf(count));
			return scene;
		} catch (error) {
			await scene.close();
			throw error;
		}
	}

	async close(): Promise<void> {
		this.#isOver = true;
		for (const agent of this.#agents.values()) agent.stop();
		await this.room.close();
	}

	/** The id of the Pi that there is most to see of. */
	async lead(): Promise<string | undefined> {
		const { devices } = await this.#ask<DeviceList>("GET", "devices");
		const [first] = devices.toSorted((a, b) => seenOf(b) - seenOf(a));
		return first?.id;
	}

	async #fill(cast: readonly Actor[]): Promise<void> {
		const { room } = this;
		makeSmallImage(room.images, room.folder, IMAGE);
		if (cast.length === 1) {
			await room.serve({ images: ["raspios-trixie-lite"] });
			return this.#bootVirtualPi();
		}
		makeSmallImage(room.images, room.folder, OLD_IMAGE);
		await room.serve({ images: ["raspios-trixie-lite"], flags: ["--dhcp", "full"] });
		await this.#ask("PUT", "images/default", { id: "raspios-trixie-lite" });
		await this.#bySome(cast.filter(({ part }) => part !== "starts"));
		await this.#dress();
		await this.#waitForTrouble(cast.filter(({ part }) => part === "lacks-files" || part === "stops").length);
		for (const actor of cast.filter(({ part }) => part === "starts")) await this.#beginSlowly(actor);
		// As far as their boot files.
		await sleep(5000);
	}

	async #waitForTrouble(count: number): Promise<void> {
		const seen = async () => {
			const { devices } = await this.#ask<DeviceList>("GET", "devices");
			return devices.filter(({ diagnosis }) => diagnosis !== undefined).length >= count ? true : undefined;
		};
		await eventually("what is said of the Pis that stopped", seen, 120_000);
	}

	/** The one that the guide starts. */
	async #bootVirtualPi(): Promise<void> {
		await this.#ask("POST", "virtual-pis", { model: "pi5" });
		await eventually("the virtual Pi", async () => {
			const { devices } = await this.#ask<DeviceList>("GET", "devices");
			return devices[0]?.stage === "userspace" ? true : undefined;
		});
	}

	/** A few at a time. */
	async #bySome(actors: readonly Actor[]): Promise<void> {
		const waiting = [...actors];
		const one = async () => {
			for (let actor = waiting.shift(); actor !== undefined; actor = waiting.shift()) await this.#arrive(actor);
		};
		await Promise.all(Array.from({ length: ABREAST }, one));
	}

	/** It boots as often as it shall, is given its name, and does what its part is. */
	async #arrive(actor: Actor): Promise<void> {
		// What is chosen for its root holds from the next boot on.
		const { part, rootMode, boots = rootMode === undefined ? 1 : 2 } = actor;
		const host = await this.#plugIn(actor.mac);
		await this.#boot(actor, host);
		await this.#settle(actor, part === "lacks-files" ? { imageId: "raspios-bookworm-nightly" } : {});
		for (let boot = 2; boot <= boots; boot++) await this.#boot(actor, host);
		if (part === "lacks-files") await powerOn(this.room.lab, host, actor);
		if (part === "stops") await powerOn(this.room.lab, host, actor, { flags: ["--firmware-only"] });
		if (WRITTEN.includes(part)) await this.#order(actor.serial);
	}

	/** As far as its system, and its agent if it has one. */
	async #boot(actor: Actor, host: string): Promise<void> {
		const { lab } = this.room;
		this.#agents.get(host)?.stop();
		await must(lab.on(host, ["ip", "addr", "flush", "dev", `${host}0`]));
		const report = await powerOn(lab, host, actor);
		assertBooted(report);
		if (actor.part === "agent" || WRITTEN.includes(actor.part)) await this.#startAgent(actor, host, report);
	}

	async #plugIn(mac: string): Promise<string> {
		const host = `p${++this.#plugged}`;
		await this.room.lab.addHost(host, { mac });
		return host;
	}

	#settle({ serial, name, tags, rootMode }: Actor, more: object): Promise<unknown> {
		return this.#ask("PATCH", `devices/${serial}`, {
			name,
			tags,
			...(rootMode && { rootMode }),
			...more,
		});
	}

	async #startAgent(actor: Actor, host: string, report: PiReport): Promise<void> {
		const { lab } = this.room;
		const { part } = actor;
		const exported = /nfsroot=[\d.]+:([^,]+),/.exec(report.cmdline ?? "")?.[1] ?? "";
		const address = report.address ?? "";
		await must(lab.on(host, ["ip", "addr", "add", `${address}/24`, "dev", `${host}0`]));
		const read = [process.execPath, program("../../harness/root-reader.ts"), SERVER_ADDRESS, exported, CONFIG];
		const { agent_id: name, secret } = JSON.parse(JSON.parse(await must(lab.on(host, read)))[CONFIG]);
		const look = (job: string) => this.#ask<Write>("GET", `writes/${job}`);
		const agent = new PlayedAgent({ lab, host, id: name, secret, part, look });
		this.#agents.set(host, agent);
		await agent.start(inventoryOf(actor, address));
	}

	async #order(id: string): Promise<void> {
		const order = { target: "/dev/mmcblk0", confirm: true };
		const { id: write } = await this.#ask<Write>("POST", `devices/${id}/writes`, order);
		await eventually(
			"a write that is under way, or over",
			async () => {
				const { percent, endedAt } = await this.#ask<Write>("GET", `writes/${write}`);
				return percent >= 50 || endedAt !== null ? true : undefined;
			},
			60_000,
		);
	}

	/** It gets its boot files, but slowly. */
	async #beginSlowly(actor: Actor): Promise<void> {
		const { lab } = this.room;
		const host = await this.#plugIn(actor.mac);
		await must(lab.on(host, ["tc", "qdisc", "add", "dev", `${host}0`, "root", ...SLOW]));
		void powerOn(lab, host, actor, { seconds: 300 }).catch((error: unknown) => {
			// The scene may be closed before it has booted.
			if (!this.#isOver) throw error;
		});
		await eventually(`${actor.name} to be seen`, async () => {
			const { devices } = await this.#ask<DeviceList>("GET", "devices");
			return devices.some(({ id }) => id === actor.serial) ? true : undefined;
		});
		await this.#settle(actor, {});
	}

	#ask<T>(method: string, path: string, body?: object): Promise<T> {
		return this.room.server.api(method, `/api/v1/${path}`, body);
	}

	/** What a house has that is in use: snapshots, tokens, machines that boot from elsewhere. */
	async #dress(): Promise<void> {
		const { lab } = this.room;
		await this.#ask("POST", `devices/${await this.lead()}/root/snapshots`, { name: "before-upgrade" });
		for (const name of ["build server", "home assistant"]) await this.#ask("POST", "tokens", { name });
		const mouth = await this.#plugIn("02:00:5e:00:53:02");
		await must(["ip", "-n", lab.host(mouth), "route", "add", "default", "dev", `${mouth}0`]);
		const seen = BYSTANDERS.filter(({ name }) => OTHERS.includes(name));
		const words = seen.map(({ bytes }) => bytes.toString("hex"));
		await must(lab.on(mouth, [process.execPath, program("../../netns/dhcp-mouth.ts"), ...words]));
	}
}

const seenOf = ({ agent, bootCount }: Device): number => bootCount + (agent === null ? 0 : 1);
