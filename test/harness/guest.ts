/**
 * A large guest: a whole Debian under QEMU, started with the kernel, the initramfs and the command line that the firmware
 * was given. One at a time on a machine with two processors.
 */
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Background } from "./command.ts";
import type { FirmwareResult } from "./firmware.ts";
import type { Lab } from "./lab.ts";

export interface GuestOptions {
	readonly mac: string;
	readonly memoryMiB?: number;
	/** The kernel's file name; kernel8.img if not given. */
	readonly kernel?: string;
	/** The initramfs' file name, null for none; initramfs8 if not given. */
	readonly initramfs?: string | null;
	/** Files that it sees as disks. */
	readonly disks?: GuestDisks;
}

export interface GuestDisks {
	/** /dev/nvme0n1. */
	readonly nvme?: string;
	/** /dev/mmcblk0; its size must be a power of two. */
	readonly sd?: string;
}

/** What a guest is started with: as the firmware fetched it, or as it lies on a disk. */
type BootFiles = Pick<FirmwareResult, "folder" | "cmdline">;

let counter = 0;

export class Guest {
	readonly #lab: Lab;
	readonly #tap: string;
	readonly #folder: string;
	readonly #qemu: Background;

	private constructor(lab: Lab, tap: string, folder: string, qemu: Background) {
		this.#lab = lab;
		this.#tap = tap;
		this.#folder = folder;
		this.#qemu = qemu;
	}

	static async start(lab: Lab, firmware: BootFiles, options: GuestOptions): Promise<Guest> {
		const tap = `g${process.pid % 10_000}-${++counter}`;
		const folder = await mkdtemp(join(tmpdir(), "guest-"));
		await lab.addTap(tap);
		// The firmware of a Pi replaces serial0 by the board's own port; this board has another one.
		const cmdline = firmware.cmdline.replace("console=serial0,115200", "console=ttyAMA0").replace("console=tty1 ", "");
		const initramfs = options.initramfs === undefined ? "initramfs8" : options.initramfs;
		const command = [
			"qemu-system-aarch64",
			"-M",
			"virt",
			"-cpu",
			"cortex-a72",
			"-accel",
			"tcg,thread=multi",
			"-smp",
			"2",
		];
		command.push(
			"-m",
			String(options.memoryMiB ?? 1024),
			"-display",
			"none",
			"-monitor",
			"none",
			"-nodefaults",
			"-no-reboot",
		);
		const socket = `socket,id=serial,path=${folder}/serial,server=on,wait=off,logfile=${folder}/console`;
		command.push("-chardev", socket, "-serial", "chardev:serial");
		command.push("-kernel", join(firmware.folder, options.kernel ?? "kernel8.img"));
		if (initramfs !== null) command.push("-initrd", join(firmware.folder, initramfs));
		command.push("-append", cmdline, "-netdev", `tap,id=n0,ifname=${tap},script=no,downscript=no`);
		command.push("-device", `virtio-net-pci,netdev=n0,mac=${options.mac},romfile=`, "-device", "virtio-rng-pci");
		command.push(...diskOptions(options.disks ?? {}));
		return new Guest(lab, tap, folder, new Background(lab.on("", command)));
	}

	console(): Promise<string> {
		return readFile(join(this.#folder, "console"), "utf8").catch(() => "");
	}

	/** Waits until the console shows something. @param from characters of it that are not looked at. */
	async waitFor(pattern: RegExp, milliseconds: number, from = 0): Promise<RegExpExecArray> {
		const deadline = Date.now() + milliseconds;
		for (;;) {
			const text = await this.console();
			const match = pattern.exec(text.slice(from));
			if (match !== null) return match;
			const over = this.#qemu.process.exitCode !== null || Date.now() > deadline;
			if (over) throw new Error(`no ${pattern} on the console:\n${text.slice(-5000)}\n${this.#qemu.output}`);
			await new Promise((resolve) => setTimeout(resolve, 500));
		}
	}

	/** Types at its console, as somebody with a keyboard would. */
	async type(text: string): Promise<void> {
		const keyboard = connect(join(this.#folder, "serial"));
		await once(keyboard, "connect");
		// What it prints meanwhile is in the log.
		keyboard.resume().end(text);
		await once(keyboard, "close");
	}

	/** Tries to log in at its console, where `login` waits. Gives who is in, or undefined when it is refused. */
	async logIn(user: string, password: string): Promise<string | undefined> {
		const answer = async (line: string, pattern: RegExp) => {
			const { length } = await this.console();
			await this.type(`${line}\n`);
			return await this.waitFor(pattern, 60_000, length);
		};
		await answer("", /login: /);
		await answer(user, /Password: /);
		const [said] = await answer(password, /Login incorrect|[$#] /);
		if (said === "Login incorrect") return undefined;
		const [, who] = await answer("echo in as $(id -un)", /^in as (\w+)/m);
		await answer("exit", /login: /);
		return who;
	}

	/** Resolves when the guest has powered off or rebooted by itself. */
	async ended(milliseconds: number): Promise<void> {
		const timer = setTimeout(() => this.#qemu.process.kill("SIGKILL"), milliseconds);
		await this.#qemu.ended;
		clearTimeout(timer);
	}

	/** Pulls the plug. */
	async stop(): Promise<void> {
		await this.#qemu.stop("SIGKILL");
		await this.#lab.removeTap(this.#tap);
		await rm(this.#folder, { recursive: true, force: true });
	}
}

function diskOptions({ nvme, sd }: GuestDisks): string[] {
	const drive = (id: string, file: string) => ["-drive", `if=none,id=${id},format=raw,file=${file}`];
	return [
		...(nvme === undefined ? [] : [...drive("nvme", nvme), "-device", "nvme,drive=nvme,serial=NVME-OF-THE-TESTS"]),
		...(sd === undefined ? [] : [...drive("sd", sd), "-device", "sdhci-pci", "-device", "sd-card,drive=sd"]),
	];
}
