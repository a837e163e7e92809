/**
 * A real Linux kernel as an NFS client: a busybox guest under QEMU that mounts an export, runs a shell script and powers off,
 * in about five seconds. See `test/fixtures/tiny-guest.sh`.
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
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

/** Boots the guest on the lab's switch, runs the script, and gives what it printed. */
export async function runTiny(lab: Lab, script: string, options: TinyOptions = {}): Promise<TinyResult> {
	const number = ++counter;
	const guest = (await fixture("tiny-guest.sh")).trim();
	const folder = await mkdtemp(join(tmpdir(), "tiny-"));
	const tap = `t${process.pid % 10_000}-${number}`;
	const address = options.address ?? `10.77.0.${20 + (number % 30)}/24`;
	const mac = options.mac ?? `52:54:00:77:00:${number.toString(16).padStart(2, "0")}`;
	await lab.addTap(tap);
	try {
		await writeSegment(folder, script, options, address);
		await must([
			"sh",
			"-c",
			`cat ${quote(`${guest}/initrd`)} ${quote(`${folder}/segment.cpio`)} > ${quote(`${folder}/initrd`)}`,
		]);
		const qemu = new Background(
			lab.on("", [
				...["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-accel", "tcg", "-smp", "1"],
				...["-m", String(options.memoryMiB ?? 256), "-nographic", "-nodefaults", "-monitor", "none", "-no-reboot"],
				...["-serial", `file:${folder}/console`, "-kernel", `${guest}/vmlinuz`, "-initrd", `${folder}/initrd`],
				...["-append", "console=ttyAMA0 quiet loglevel=4 panic=-1 rdinit=/init mitigations=off"],
				...["-netdev", `tap,id=n0,ifname=${tap},script=no,downscript=no`],
				...[
					"-device",
					`virtio-net-pci,netdev=n0,mac=${mac},romfile=`,
					"-device",
					"virtio-rng-pci",
					"-device",
					"virtio-serial-pci",
				],
				...["-chardev", `file,id=c1,path=${folder}/status`, "-device", "virtserialport,chardev=c1,name=status"],
				...["-chardev", `file,id=c2,path=${folder}/output`, "-device", "virtserialport,chardev=c2,name=output"],
			]),
			{ timeout: options.timeout ?? 60_000 },
		);
		const qemuStatus = await qemu.ended;
		const read = (name: string) => readFile(join(folder, name), "utf8").catch(() => "");
		const [status, output, console] = await Promise.all([read("status"), read("output"), read("console")]);
		const exit = /^exit (\d+)$/m.exec(status)?.[1];
		const failed = qemuStatus === null ? 124 : 125;
		return {
			status: exit === undefined ? failed : Number(exit),
			output: exit === undefined ? `${output}\n${status}\n${qemu.output}` : output,
			console,
		};
	} finally {
		await lab.removeTap(tap);
		await rm(folder, { recursive: true, force: true });
	}
}
