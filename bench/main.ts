/**
 * Side-by-side runs against the servers that people use today. Needs root, for namespaces.
 *
 *     npm run bench                        NFS against nfs-ganesha, and memory
 *     npm run bench -- tftp                TFTP against dnsmasq
 *     npm run bench -- bytes               bytes by TFTP of a Raspberry Pi OS boot, against the files as they are
 *     npm run bench -- herd                1 to 200 virtual Pis that are switched on at once
 *     npm run bench -- page                the page of all Pis while 200 virtual ones boot: how long it does not answer
 *     npm run bench -- unpack              images unpacked, against xz, gzip and zstd
 *     npm run bench -- write               a disk written, against curl | dd and bmaptool copy (Debian: bmap-tools); takes minutes
 *     npm run bench -- write --agents 10   ten disks written at once, against one alone
 *     npm run bench -- boot                power-on to multi-user against dnsmasq and nfs-ganesha; takes minutes
 */
import { cpus, release, totalmem } from "node:os";
import { Command, InvalidArgumentError } from "commander";
import { benchBoot } from "./boot.ts";
import { benchBytes } from "./bytes.ts";
import { benchHerd } from "./herd.ts";
import { benchNfs } from "./nfs.ts";
import { benchPage } from "./page.ts";
import { goFirst } from "./priority.ts";
import { benchTftp } from "./tftp.ts";
import { benchUnpack } from "./unpack.ts";
import { benchWrite } from "./write.ts";

function number(text: string): number {
	if (!/^\d+$/.test(text)) throw new InvalidArgumentError("expected a whole number");
	return Number(text);
}

/** What the figures were measured on, without which they say nothing. */
function machine(): string {
	const [first] = cpus();
	const memory = (totalmem() / 1e9).toFixed(0);
	return `${cpus().length} x ${first?.model ?? "unknown"}, ${memory} GB, Linux ${release()}, Node ${process.version}\n`;
}

const program = new Command("bench")
	.description("side-by-side runs; medians (min-max) of interleaved rounds")
	.hook("preAction", () => void process.stdout.write(machine()));

program
	.command("nfs", { isDefault: true })
	.option("--megabytes <count>", "size of the large file", number, 512)
	.option("--rounds <count>", "rounds that count", number, 7)
	.option("--devices <count>", "devices that read at once for the memory", number, 50)
	.option("--only <text>", "only the points whose name has this in it", "")
	.action((options: { megabytes: number; rounds: number; devices: number; only: string }) => benchNfs(options));

program
	.command("tftp")
	.option("--rounds <count>", "rounds that count", number, 7)
	.option("--only <text>", "only the points whose name has this in it", "")
	.action((options: { rounds: number; only: string }) => benchTftp(options));

program.command("bytes").action(() => benchBytes());

program
	.command("herd")
	.option("--counts <list>", "how many at once, one after the other", "1,2,5,10,20,50,100,200")
	.option("--model <model>", "as `simulate` has them", "pi3bp,pi4,pi5")
	.option("--scale <percent>", "size of the boot files, in percent of those of Raspberry Pi OS", number, 10)
	.action(async (options: { counts: string; model: string; scale: number }) => {
		const counts = options.counts.split(",").map(number);
		await benchHerd({ ...options, counts, scale: options.scale / 100 });
	});

program
	.command("page")
	.option("--count <count>", "virtual Pis", number, 200)
	.option("--ramp <seconds>", "from the first power-on to the last, where it is not all at once", number, 20)
	.action((options: { count: number; ramp: number }) => benchPage(options));

program
	.command("boot")
	.option("--rounds <count>", "boots on each side", number, 2)
	.action((options: { rounds: number }) => benchBoot(options.rounds));

program
	.command("unpack")
	.option("--megabytes <count>", "size of the image", number, 400)
	.option("--rounds <count>", "rounds that count", number, 3)
	.action((options: { megabytes: number; rounds: number }) => benchUnpack(options));

program
	.command("write")
	.option("--gigabytes <count>", "size of the image", number, 8)
	.option("--agents <count>", "only this: so many Pis at once, and one alone", number, 0)
	.option("--no-peers", "only ours")
	.action((options: { gigabytes: number; agents: number; peers: boolean }) => benchWrite(options));

goFirst();
await program.parseAsync();
