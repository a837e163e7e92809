/** Two Pis run from one image: what one does, the other never sees, whatever it tries. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { run } from "../harness/command.ts";
import type { PiOnCable } from "../harness/export.ts";
import { makeImage, makeRoot } from "../harness/image.ts";
import { SERVER_ADDRESS } from "../harness/lab.ts";
import { GUEST_PROGRAMS, IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import {
	type Call,
	DUMP,
	EXPORT,
	GETATTR,
	handleOfMount,
	MNT,
	MOUNT,
	NFS,
	opaque,
	type Reply,
	rpcFrom,
} from "../harness/rpc.ts";
import { assertWell, MOUNT_OPTIONS, piNumber, Site } from "../harness/site.ts";

const skip = await lacks([...GUEST_PROGRAMS, ...IMAGE_PROGRAMS]);

const A = piNumber(1);
const B = piNumber(2);

/** A machine on the LAN that is no Pi of ours, and one that is not even a Pi. */
const STRANGER = { mac: "02:00:00:00:00:77", address: "10.77.0.77", serial: "" };

const NFS3_OK = 0;
const NFS3ERR_ACCES = 13;
const NFS3ERR_BADHANDLE = 10001;
const MNT3ERR_NOENT = 2;
const MNT3ERR_ACCES = 13;

const mountCall = (path: string): Call => ({ program: MOUNT, procedure: MNT, body: opaque(path) });
const getattrCall = (handle: Buffer): Call => ({ program: NFS, procedure: GETATTR, body: opaque(handle) });
const statusOf = (reply: Reply | undefined) => reply?.body.readUInt32BE(0);

describe("two Pis on one image", { skip }, () => {
	let site: Site;

	before(async () => {
		site = await Site.open();
		const root = join(site.folder, "root");
		await makeRoot(root, { shared: "from the image\n" });
		await makeImage(join(site.images, "one.img"), { root });
		await site.serve("one");
	});
	after(() => site?.close());

	/** Makes calls from a host with this MAC and address, in the place of its kernel. */
	async function callAs(host: PiOnCable, localPort: number, ...calls: readonly Call[]): Promise<Reply[]> {
		await site.lab.addHost("hand", { mac: host.mac, address: `${host.address}/24` });
		try {
			return await rpcFrom(site.lab, "hand", localPort, calls);
		} finally {
			await site.lab.removeHost("hand");
		}
	}

	async function mountAs(host: PiOnCable, localPort: number, path: string): Promise<Buffer> {
		const [reply] = await callAs(host, localPort, mountCall(path));
		const handle = reply && handleOfMount(reply);
		assert.ok(handle, `${host.address} may mount ${path}`);
		return handle;
	}

	test("each writes the same files, and reads its own", async () => {
		const write = (name: string) => `
			cd $MNT && cat etc/shared boot/firmware/config.txt | md5sum > /tmp/before
			echo "from ${name}" > etc/shared && echo "# ${name}" >> boot/firmware/config.txt
			mkdir only-${name} && echo "${name}" > new
			sync; md5sum < /tmp/before`;
		const look = `cd $MNT && cat etc/shared new && tail -n 1 boot/firmware/config.txt && ls -d only-*`;
		const first = await site.run(A, await site.boot(A), write("a"));
		const second = await site.run(B, await site.boot(B), write("b"));
		assertWell(first);
		assert.deepEqual(second, { ...first, console: second.console }, "both began with what is in the image");
		const ofA = await site.run(A, await site.boot(A), look);
		const ofB = await site.run(B, await site.boot(B), look);
		assert.equal(ofA.output, "from a\na\n# a\nonly-a\n");
		assert.equal(ofB.output, "from b\nb\n# b\nonly-b\n");
	});

	test("one cannot mount the other's root, though it knows the path", async () => {
		const served = await site.boot(A);
		const [reply] = await callAs(B, 701, mountCall(served.exportPath));
		assert.equal(statusOf(reply), MNT3ERR_ACCES);
		await mountAs(A, 702, served.exportPath);
		// The kernel of B is told the same.
		const script = 'mkdir /tmp/m; mount -t nfs -o "addr=$SERVER,$THERE" "$SERVER:$PATH_OF_A" /tmp/m && exit 1; exit 0';
		const own = await site.boot(B);
		const environment = { PATH_OF_A: served.exportPath, THERE: `vers=3,proto=tcp,nolock,${MOUNT_OPTIONS}` };
		assertWell(await site.run(B, own, script, { environment }));
	});

	test("one cannot use a handle of the other's root", async () => {
		const handle = await mountAs(A, 703, (await site.boot(A)).exportPath);
		const own = await mountAs(B, 704, (await site.boot(B)).exportPath);
		const replies = await callAs(B, 705, getattrCall(handle), getattrCall(own), getattrCall(handle));
		assert.deepEqual(replies.map(statusOf), [NFS3ERR_ACCES, NFS3_OK, NFS3ERR_ACCES]);
		const [ofA] = await callAs(A, 706, getattrCall(handle));
		assert.equal(statusOf(ofA), NFS3_OK, "the handle is good where it belongs");
	});

	test("a handle that was tampered with is no handle", async () => {
		const handle = await mountAs(A, 707, (await site.boot(A)).exportPath);
		const forged = Array.from(handle.keys(), (at) => {
			const copy = Buffer.from(handle);
			copy[at] = (copy[at] ?? 0) ^ 1;
			return getattrCall(copy);
		});
		const replies = await callAs(A, 708, ...forged);
		assert.deepEqual(new Set(replies.map(statusOf)), new Set([NFS3ERR_BADHANDLE]));
	});

	test("a path that no boot has leads nowhere", async () => {
		const { exportPath } = await site.boot(A);
		const wrong = exportPath.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
		const paths = [wrong, "/", "", "/pi", exportPath.slice(0, exportPath.lastIndexOf("/")), `${exportPath}/..`];
		const replies = await callAs(A, 709, ...paths.map(mountCall));
		assert.deepEqual(
			replies.map(statusOf),
			paths.map(() => MNT3ERR_NOENT),
		);
	});

	test("nobody is told what is exported and who has mounted it", async () => {
		await mountAs(A, 710, (await site.boot(A)).exportPath);
		const lists = [EXPORT, DUMP].map((procedure): Call => ({ program: MOUNT, procedure, body: Buffer.alloc(0) }));
		const END_OF_LIST = Buffer.alloc(4);
		for (const reply of await callAs(A, 711, ...lists)) assert.deepEqual(reply.body, END_OF_LIST);
		for (const reply of await callAs(STRANGER, 712, ...lists)) assert.deepEqual(reply.body, END_OF_LIST);
	});

	test("a stranger is not told a Pi's command line, nor is the other Pi", async () => {
		for (const host of [STRANGER, B]) {
			await site.lab.addHost("hand", { mac: host.mac, address: `${host.address}/24` });
			try {
				const url = `tftp://${SERVER_ADDRESS}/${A.serial}/cmdline.txt`;
				const { status, stdout } = await run(site.lab.on("hand", ["curl", "-sS", "-m", "10", url]));
				assert.notEqual(status, 0);
				assert.equal(stdout, "");
			} finally {
				await site.lab.removeHost("hand");
			}
		}
		await site.boot(A);
	});

	test("a valid handle is good from an address that nobody has: a running Pi often has two", async () => {
		const handle = await mountAs(A, 713, (await site.boot(A)).exportPath);
		const second = { ...A, address: "10.77.0.78" };
		const [reply] = await callAs(second, 714, getattrCall(handle));
		assert.equal(statusOf(reply), NFS3_OK);
	});
});
