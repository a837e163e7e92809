/**
 * A real Linux kernel as an NFS client: a busybox guest under QEMU that mounts an export, runs a shell script and powers off,
 * in about five seconds. See `test/fixtures/tiny-guest.sh`.
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Background, must } from "./command.ts";
import { fixture } from "./fixture.ts";
import { type Lab, SERVER_ADDRESS } from "./lab.ts";

export interface TinyOptions {
	/** The export to mount at /mnt; without it the script mounts for itself. */
	readonly mount?: string;
	/** Mount options behind `vers=3,proto=tcp,nolock`. */
	readonly options?: string;
	/** The guest's address, or `dhcp`. */
	readonly address?: string;
	readonly mac?: string;
	/** Host files or folders that the script finds in /in/files. */
	readonly files?: readonly string[];
	readonly environment?: Readonly<Record<string, string>>;
	/** Milliseconds, one minute if not given. */
	readonly timeout?: number;
	readonly memoryMiB?: number;
}

export interface TinyResult {
	/** The script's exit status; 126 when the mount failed, 125 when the guest did not get that far, 124 out of time. */
	readonly status: number;
	readonly output: string;
	readonly console: string;
}

let counter = 0;

function quote(text: string): string {
	return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The second part of the initramfs: settings, the script and files. */
async function writeSegment(folder: string, script: string, options: TinyOptions, address: string): Promise<void> {
	const input = join(folder, "segment", "in");
	await mkdir(join(input, "files"), { recursive: true });
	const settings = {
		SERVER: SERVER_ADDRESS,
		EXPORT: options.mount ?? "",
		OPTIONS: ["vers=3,proto=tcp,nolock", options.options].filter((part) => part !== undefined).join(","),
		ADDRESS: address,
	};
	const lines = Object.entries(settings).map(([key, value]) => `${key}=${quote(value)}`);
	for (const [key, value] of Object.entries(options.environment ?? {})) lines.push(`export ${key}=${quote(value)}`);
	await writeFile(join(input, "conf"), `${lines.join("\n")}\n`);
	await writeFile(join(input, "script"), script);
	for (const file of options.files ?? []) {
		await cp(file, join(input, "files", basename(file)), { recursive: true });
	}
	await must([
		"sh",
		"-c",
		`cd ${quote(join(folder, "segment"))} && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0 > ${quote(join(folder, "segment.cpio"))}`,
	]);
}

/** A guest that runs. */
export class Tiny {
	readonly #lab: Lab;
	readonly #tap: string;
	readonly #folder: string;
	readonly #qemu: Background;
	readonly #input: Promise<Socket>;

	private constructor(lab: Lab, tap: string, folder: string, qemu: Background) {
		this.#lab = lab;
		this.#tap = tap;
		this.#folder = folder;
		this.#qemu = qemu;
		this.#input = openInput(join(folder, "input"), qemu);
		// Whoever calls `say` is told.
		this.#input.catch(() => undefined);
	}

	/** Boots the guest on the lab's switch. */
	static async start(lab: Lab, script: string, options: TinyOptions = {}): Promise<Tiny> {
		const number = ++counter;
		const guest = (await fixture("tiny-guest.sh")).trim();
		const folder = await mkdtemp(join(tmpdir(), "tiny-"));
		const tap = `t${process.pid % 10_000}-${number}`;
		const address = options.address ?? `10.77.0.${20 + (number % 30)}/24`;
		const mac = options.mac ?? `52:54:00:77:00:${number.toString(16).padStart(2, "0")}`;
		await lab.addTap(tap);
		try {
			await writeSegment(folder, script, options, address);
			const concatenate = `cat ${quote(`${guest}/initrd`)} ${quote(`${folder}/segment.cpio`)} > ${quote(`${folder}/initrd`)}`;
			await must(["sh", "-c", concatenate]);
			const command = qemuCommand({ guest, folder, tap, mac, memoryMiB: options.memoryMiB ?? 256 });
			const qemu = new Background(lab.on("", command), { timeout: options.timeout ?? 60_000 });
			return new Tiny(lab, tap, folder, qemu);
		} catch (error) {
			await clearAway(lab, tap, folder);
			throw error;
		}
	}

	/** What the script has printed so far. */
	output(): Promise<string> {
		return readFile(join(this.#folder, "output"), "utf8").catch(() => "");
	}

	/** Waits until the script has printed something. */
	async waitFor(pattern: RegExp, milliseconds: number): Promise<RegExpExecArray> {
		const deadline = Date.now() + milliseconds;
		for (;;) {
			const text = await this.output();
			const match = pattern.exec(text);
			if (match !== null) return match;
			const hasEnded = this.#qemu.process.exitCode !== null || this.#qemu.process.signalCode !== null;
			if (hasEnded || Date.now() > deadline) {
				throw new Error(`the guest did not print ${pattern}:\n${text.slice(-3000)}\n${await this.console()}`);
			}
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	}

	/** A line for the script, which reads it from $INPUT: `exec 7< $INPUT`, then `read -r line <&7`. */
	async say(line: string): Promise<void> {
		(await this.#input).write(`${line}\n`);
	}

	/** The end of what the kernel said. */
	async console(): Promise<string> {
		const text = await readFile(join(this.#folder, "console"), "utf8").catch(() => "");
		return text.slice(-3000);
	}

	/** Waits for the end of the guest, and takes away what it needed. */
	async result(): Promise<TinyResult> {
		try {
			const qemuStatus = await this.#qemu.ended;
			const status = await readFile(join(this.#folder, "status"), "utf8").catch(() => "");
			const [output, console] = await Promise.all([this.output(), this.console()]);
			const exit = /^exit (\d+)$/m.exec(status)?.[1];
			const failed = qemuStatus === null ? 124 : 125;
			return {
				status: exit === undefined ? failed : Number(exit),
				output: exit === undefined ? `${output}\n${status}\n${this.#qemu.output}` : output,
				console,
			};
		} finally {
			await clearAway(this.#lab, this.#tap, this.#folder);
		}
	}

	/** Pulls the plug. */
	async stop(): Promise<TinyResult> {
		await this.#qemu.stop("SIGKILL");
		return this.result();
	}
}

/** Boots the guest on the lab's switch, runs the script, and gives what it printed. */
export async function runTiny(lab: Lab, script: string, options: TinyOptions = {}): Promise<TinyResult> {
	const tiny = await Tiny.start(lab, script, options);
	return tiny.result();
}

interface Machine {
	readonly guest: string;
	readonly folder: string;
	readonly tap: string;
	readonly mac: string;
	readonly memoryMiB: number;
}

function qemuCommand({ guest, folder, tap, mac, memoryMiB }: Machine): string[] {
	const port = (number: number, name: string, backend: string) => [
		...["-chardev", `${backend},id=c${number}`],
		...["-device", `virtserialport,chardev=c${number},name=${name}`],
	];
	return [
		...["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-accel", "tcg", "-smp", "1"],
		...["-m", String(memoryMiB), "-nographic", "-nodefaults", "-monitor", "none", "-no-reboot"],
		...["-serial", `file:${folder}/console`, "-kernel", `${guest}/vmlinuz`, "-initrd", `${folder}/initrd`],
		...["-append", "console=ttyAMA0 quiet loglevel=4 panic=-1 rdinit=/init mitigations=off"],
		...["-netdev", `tap,id=n0,ifname=${tap},script=no,downscript=no`],
		...["-device", `virtio-net-pci,netdev=n0,mac=${mac},romfile=`],
		...["-device", "virtio-rng-pci", "-device", "virtio-serial-pci"],
		...port(1, "status", `file,path=${folder}/status`),
		...port(2, "output", `file,path=${folder}/output`),
		...port(3, "input", `socket,path=${folder}/input,server=on,wait=off`),
	];
}

/** Connects to the guest's input while it boots: a port that nobody holds the other end of reads as ended. */
async function openInput(path: string, qemu: Background): Promise<Socket> {
	while (qemu.process.exitCode === null && qemu.process.signalCode === null) {
		const socket = connect(path);
		const isOpen = await new Promise<boolean>((resolve) => {
			socket.once("connect", () => resolve(true));
			socket.once("error", () => resolve(false));
		});
		if (isOpen) return socket.on("error", () => socket.destroy());
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	throw new Error(`the guest ended before its input was opened:\n${qemu.output}`);
}

async function clearAway(lab: Lab, tap: string, folder: string): Promise<void> {
	await lab.removeTap(tap);
	await rm(folder, { recursive: true, force: true });
}
