/** The install script, run by the shells that Pis have, into folders that stand for their roots. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { json } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { installScript } from "../../server/src/boot/index.ts";
import { must, run } from "../harness/command.ts";
import { AGENT } from "../harness/imager.ts";
import { lacks } from "../harness/needs.ts";

const CODE = "abcdefghijkl";
const SHELLS = [["dash"], ["busybox", "sh"], ["bash", "--posix"]];
const OWN = { server: "", agent_id: "0123456789abcdef", secret: "of this agent" };

const skip = await lacks(["dash", "busybox", "bash", "python3", "shellcheck"]);

describe("the install script", { skip }, () => {
	let folder = "";
	let server: Server;
	let url = "";
	let script = "";
	/** Codes that were sent. */
	const asked: unknown[] = [];
	let count = 0;

	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "install-"));
		server = createServer(async (request, response) => {
			const { code } = (await json(request)) as { code?: unknown };
			asked.push([request.method, request.url, code]);
			const refusal = { error: { code: "code-refused", message: "This code is unknown.", hint: "Make another one." } };
			response.writeHead(code === CODE ? 200 : 401, { "content-type": "application/json" });
			response.end(JSON.stringify(code === CODE ? { ...OWN, server: url } : refusal));
		});
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
		script = join(folder, "install.sh");
		writeFileSync(script, installScript(url));
	});
	after(async () => {
		server.close();
		await rm(folder, { recursive: true });
	});

	/** A root with these folders and files. */
	function root(...paths: string[]): string {
		const place = join(folder, `root${++count}`);
		for (const path of paths) {
			mkdirSync(join(place, path.endsWith("/") ? path : dirname(path)), { recursive: true });
			if (!path.endsWith("/")) writeFileSync(join(place, path), "", { mode: 0o755 });
		}
		return place;
	}

	/** As `curl ... | sh -s -- CODE`: the shell reads what it runs from its standard input, without a terminal. */
	function install(shell: readonly string[], place: string, ...words: string[]) {
		const line = `exec setsid ${[...shell, "-s", "--", ...words].join(" ")} < ${script}`;
		return run(["env", `DESTDIR=${place}`, "sh", "-c", line]);
	}

	it("has nothing that shellcheck finds, and no secret", async () => {
		await must(["shellcheck", "--shell=sh", "--severity=style", script]);
		assert.doesNotMatch(readFileSync(script, "utf8"), /"secret": "[^"]/);
	});

	for (const shell of SHELLS) {
		it(`installs program, config.json and unit under ${shell.join(" ")}`, async () => {
			const place = root("etc/systemd/system/");
			const { status, stdout, stderr } = await install(shell, place, CODE);
			assert.equal(status, 0, stderr);
			assert.match(stdout, /installed in \S+\/opt\/netboot-imager/);
			const home = join(place, "opt/netboot-imager");
			assert.ok(readFileSync(join(home, "netboot-imager-service.py")).equals(readFileSync(AGENT)));
			assert.deepEqual(JSON.parse(readFileSync(join(home, "config.json"), "utf8")), { ...OWN, server: url });
			assert.equal(statSync(join(home, "config.json")).mode & 0o777, 0o600);
			const wanted = join(place, "etc/systemd/system/multi-user.target.wants/netboot-imager.service");
			assert.equal(readFileSync(wanted, "utf8"), readFileSync(join(dirname(AGENT), "netboot-imager.service"), "utf8"));
			assert.deepEqual(asked.at(-1), ["POST", "/api/bootstrap/agent", CODE]);
		});
	}

	it("brings the program up to date without a code where the agent has its config.json", async () => {
		const place = root("etc/systemd/system/");
		await install(["dash"], place, CODE);
		const before = asked.length;
		const program = join(place, "opt/netboot-imager/netboot-imager-service.py");
		writeFileSync(program, "an old one");
		assert.equal((await install(["dash"], place)).status, 0);
		assert.ok(readFileSync(program).equals(readFileSync(AGENT)));
		assert.equal(asked.length, before);
	});

	it("asks for a code, takes no wrong one, and then leaves nothing of a config.json behind", async () => {
		const place = root("etc/systemd/system/");
		const missing = await install(["dash"], place);
		assert.notEqual(missing.status, 0);
		assert.match(missing.stderr, /a one-time code is missing: `pi-netboot devices install`/);
		const wrong = await install(["busybox", "sh"], place, "wrong");
		assert.notEqual(wrong.status, 0);
		assert.match(wrong.stderr, /This code is unknown\. Make another one\./);
		assert.deepEqual((await must(["ls", join(place, "opt/netboot-imager")])).trim(), "");
	});

	it("knows OpenRC, and BusyBox's init", async () => {
		const openrc = root("sbin/openrc-run", "etc/init.d/");
		assert.equal((await install(["busybox", "sh"], openrc, CODE)).status, 0);
		assert.match(readFileSync(join(openrc, "etc/init.d/netboot-imager"), "utf8"), /^#!\/sbin\/openrc-run$/m);
		const busybox = root("etc/init.d/");
		assert.equal((await install(["busybox", "sh"], busybox, CODE)).status, 0);
		const init = join(busybox, "etc/init.d/S99netboot-imager");
		assert.ok((statSync(init).mode & 0o111) !== 0);
		await must(["shellcheck", "--shell=sh", init]);
	});

	it("leaves a Pi alone that was booted by the server, and does nothing when it was cut off on the way", async () => {
		const place = root("etc/systemd/system/", "opt/netboot-imager/");
		writeFileSync(join(place, "opt/netboot-imager/config.json"), '{\n\t"only_when_netbooted": true\n}\n');
		const { status, stdout } = await install(["dash"], place, CODE);
		assert.deepEqual([status, /the agent is here already/.test(stdout)], [0, true]);
		assert.ok(!existsSync(join(place, "opt/netboot-imager/netboot-imager-service.py")));
		const text = readFileSync(script, "utf8");
		const cut = join(folder, "cut.sh");
		for (const share of [0.1, 0.5, 0.9, 0.999]) {
			writeFileSync(cut, text.slice(0, Math.floor(text.lastIndexOf("main") * share)));
			const empty = root("etc/systemd/system/");
			await run(["env", `DESTDIR=${empty}`, "dash", cut]);
			assert.ok(!existsSync(join(empty, "opt")), `${share}`);
		}
	});
});
