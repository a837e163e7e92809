/** A real Linux kernel uses the root of a Pi out of a Debian image, in every way that a system does. */
import assert from "node:assert/strict";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { must } from "../harness/command.ts";
import type { PiOnCable } from "../harness/export.ts";
import { fixture } from "../harness/fixture.ts";
import { GUEST_PROGRAMS, IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { patchedPaths } from "../harness/patched-paths.ts";
import {
	type Call,
	callRecord,
	GETATTR,
	handleOfMount,
	MNT,
	MOUNT,
	NFS,
	opaque,
	type Reply,
	readReply,
	rpcFrom,
	u32,
	WRITE,
} from "../harness/rpc.ts";
import { assertWell, piNumber, Site } from "../harness/site.ts";
import { differences, hardLinks, readTreeFacts } from "../harness/tree-facts.ts";

const skip = await lacks([
	...GUEST_PROGRAMS,
	...IMAGE_PROGRAMS,
	"aarch64-linux-gnu-gcc",
	"qemu-aarch64-static",
	"mmdebstrap",
]);

/** By hand: 200000 operations, and 100000 files in one directory. */
const RANDOM_OPS = process.env.RANDOM_OPS ?? "20000";
const CROWD = process.env.CROWD ?? "10000";

const MINUTE = 60_000;

const script = (name: string) => readFile(fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url)), "utf8");
const checks = async (name: string) => (await script("checks.sh")) + (await script(name));

/** The lines of checks that failed. */
const failed = (output: string) => output.split("\n").filter((line) => line.startsWith("not ok"));

/** The directories above a path, in the words of `find .`. */
function above(path: string): string[] {
	const parts = path.split("/").slice(1, -1);
	return [".", ...parts.map((_, index) => `./${parts.slice(0, index + 1).join("/")}`)];
}

describe("the root of a Pi, mounted by a Linux kernel", { skip }, () => {
	let image = "";
	let site: Site;

	before(async () => {
		image = (await fixture("debian-image.sh", "networkd")).trim();
		site = await Site.open();
		await symlink(image, join(site.images, "debian.img"));
		await site.serve("debian");
	});
	after(() => site?.close());

	test("the whole tree is that of the image, except for what the patches name", async () => {
		const pi = piNumber(1);
		const program = (await fixture("guest-program.sh", "treefacts")).trim();
		// What covers /boot/firmware is looked at below.
		const leftOut = "./boot/firmware";
		const body = `cp $IN/treefacts* /tmp/treefacts && /tmp/treefacts $MNT ${leftOut}`;
		const result = await site.run(pi, await site.boot(pi), body, { files: [program], timeout: 6 * MINUTE });
		assertWell(result);
		const guest = readTreeFacts(result.output);
		const source = image.replace(/\.img$/, ".root");
		const truth = readTreeFacts(await must(["qemu-aarch64-static", program, source, leftOut]));

		const agent = [...guest.keys()].filter((path) => path.startsWith("./opt/netboot-imager/")).sort();
		assert.deepEqual(
			agent.map((path) => basename(path)),
			["README", "config.json", "netboot-imager-service.py"],
		);

		const apart = new Set(["./lost+found", ...agent]);
		const paths = [...new Set([...truth.keys(), ...guest.keys()])].filter((path) => !apart.has(path));
		const differ = new Map(paths.map((path) => [path, differences(truth.get(path), guest.get(path))]));
		const patched = (await patchedPaths(image, pi.mac)).map((path) => `.${path}`);
		const parents = new Set(patched.flatMap(above));
		const unexpected = [...differ].filter(([path, what]) => {
			if (what.length === 0 || patched.includes(path)) return false;
			// A directory in which a patch has made or removed something shows it; one that a patch needs is new.
			const allowed = truth.has(path) ? ["mtime", "links"] : ["existence"];
			return !(parents.has(path) && what.every((each) => allowed.includes(each)));
		});
		assert.deepEqual(unexpected, []);
		assert.deepEqual(
			patched.filter((path) => differ.get(path)?.length === 0),
			[],
			"a patch that is listed changes something",
		);
		const others = (name: string) => !patched.some((path) => name.split(" = ").includes(path));
		assert.deepEqual(hardLinks(guest).filter(others), hardLinks(truth).filter(others));
		assert.ok(truth.size > 10_000);
	});

	test("/boot/firmware is the boot volume of the image", async () => {
		const pi = piNumber(1);
		const list = "find . -type f -exec md5sum {} + | sort -k 2";
		const result = await site.run(pi, await site.boot(pi), `cd $MNT/boot/firmware && ${list}`, { timeout: 2 * MINUTE });
		assertWell(result);
		assert.equal(result.output, await must(["sh", "-c", list], { directory: image.replace(/\.img$/, ".boot") }));
		assert.match(result.output, /\.\/kernel8\.img\n/);
	});

	test("everyday file operations do what they should", async () => {
		const pi = piNumber(2);
		const result = await site.run(pi, await site.boot(pi), await checks("file-operations.sh"));
		assert.deepEqual(failed(result.output), []);
		assert.match(result.output, /^31 checks, 0 failed$/m);
	});

	test("hard links, files without names, directories of the image, sockets, FIFOs and setuid behave", async () => {
		const pi = piNumber(3);
		const options = { memoryMiB: 512, timeout: 3 * MINUTE };
		const result = await site.run(pi, await site.boot(pi), await checks("special-files.sh"), options);
		assert.deepEqual(failed(result.output), []);
		assert.match(result.output, /^\d+ checks, 0 failed$/m);
	});

	test("an ordinary user of the Pi cannot act as root, neither through its kernel nor past it", async () => {
		const pi = piNumber(4);
		const served = await site.boot(pi);
		const handle = await mountByHand(pi, served.exportPath);
		const calls = {
			mount: { program: MOUNT, procedure: MNT, body: opaque(served.exportPath) },
			getattr: { program: NFS, procedure: GETATTR, body: opaque(handle) },
			write: { program: NFS, procedure: WRITE, body: Buffer.concat([opaque(handle), u32(0, 0, 1, 2), opaque("x")]) },
		};
		const folder = join(site.folder, "calls");
		await mkdir(folder);
		for (const [name, call] of Object.entries(calls)) await writeFile(join(folder, name), callRecord(call, 1));
		const files = Object.keys(calls).map((name) => join(folder, name));

		// Root, on the same Pi, may make these calls. One cannot write into a directory, but may try.
		const NFS3ERR_ISDIR = 21;
		const ofRoot = await asHost(pi, 701, Object.values(calls));
		assert.deepEqual(
			ofRoot.map(({ body }) => body.readUInt32BE(0)),
			[0, 0, NFS3ERR_ISDIR],
		);

		const result = await site.run(pi, served, await checks("ordinary-user.sh"), { files });
		assert.deepEqual(failed(result.output), []);
		assert.match(result.output, /^\d+ checks, 0 failed$/m);
		const AUTH_TOOWEAK = 5;
		const MNT3ERR_ACCES = 13;
		const [mount, ...others] = Object.keys(calls).map((call): Reply => {
			const hex = new RegExp(`^user ${call} ([0-9a-f]+)$`, "m").exec(result.output)?.[1] ?? "";
			return readReply(Buffer.from(hex.slice(8), "hex"));
		});
		assert.equal(mount?.body.readUInt32BE(0), MNT3ERR_ACCES);
		for (const reply of others) assert.deepEqual([reply.kind, reply.status], ["denied", AUTH_TOOWEAK]);
	});

	/** Makes calls in the place of this Pi. */
	async function asHost(pi: PiOnCable, localPort: number, calls: readonly Call[]): Promise<Reply[]> {
		await site.lab.addHost("hand", { mac: pi.mac, address: `${pi.address}/24` });
		try {
			return await rpcFrom(site.lab, "hand", localPort, calls);
		} finally {
			await site.lab.removeHost("hand");
		}
	}

	/** What the kernel of the Pi does when it mounts. */
	async function mountByHand(pi: PiOnCable, path: string): Promise<Buffer> {
		const [reply] = await asHost(pi, 700, [{ program: MOUNT, procedure: MNT, body: opaque(path) }]);
		const handle = reply && handleOfMount(reply);
		assert.ok(handle, "the Pi may mount its root");
		return handle;
	}

	test(`${RANDOM_OPS} random operations in directories of the image do what they do in tmpfs`, async () => {
		const pi = piNumber(5);
		const program = (await fixture("guest-program.sh", "randomops")).trim();
		const body = `
			mount -o remount,size=400m /tmp
			mkdir $MNT/tree /tmp/model
			chmod 755 $MNT/tree /tmp/model
			n=0
			for d in share/perl5 share/bash-completion share/dbus-1 lib/systemd/system share/initramfs-tools share/zoneinfo/Europe; do
				mv $MNT/usr/$d $MNT/tree/n$n && cp -a $MNT/tree/n$n /tmp/model/n$n || exit 99
				n=$((n + 1))
			done
			cp $IN/randomops* /tmp/randomops
			/tmp/randomops $MNT/tree /tmp/model $COUNT \${SEED:-11} | grep -v ^progress`;
		const result = await site.run(pi, await site.boot(pi), body, {
			files: [program],
			environment: { COUNT: RANDOM_OPS, SEED: process.env.SEED ?? "11" },
			memoryMiB: 700,
			timeout: 4 * MINUTE + Number(RANDOM_OPS) * 20,
		});
		assert.match(result.output, new RegExp(`^EQUAL after ${RANDOM_OPS} operations, \\d+ files$`, "m"));
	});

	test(`a directory to which ${CROWD} files are added is listed right meanwhile, and removed`, async () => {
		const pi = piNumber(6);
		const program = (await fixture("guest-program.sh", "crowd")).trim();
		const body = `
			cp $IN/crowd* /tmp/crowd
			/tmp/crowd $MNT/crowd $COUNT $((COUNT / 5)) || exit 1
			echo 3 > /proc/sys/vm/drop_caches
			[ $(ls $MNT/crowd | wc -l) = $COUNT ] || exit 2
			rm -r $MNT/crowd && [ ! -e $MNT/crowd ]`;
		const result = await site.run(pi, await site.boot(pi), body, {
			files: [program],
			environment: { COUNT: CROWD },
			memoryMiB: 512,
			timeout: 2 * MINUTE + Number(CROWD) * 20,
		});
		assertWell(result);
		assert.match(result.output, new RegExp(`^LISTED \\d+ times, at last ${CROWD} names$`, "m"));
	});
});
