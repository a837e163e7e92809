/**
 * The container, built from the Dockerfile without a registry of images, and run as far as a machine allows that is a container
 * itself: the image's files and its command, in the network of the lab's server. A virtual Pi boots from it.
 */
import assert from "node:assert/strict";
import { copyFile, cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Background, must } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { fixture } from "../harness/fixture.ts";
import { Lab } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { Router } from "../harness/router.ts";
import { makeSmallImage } from "../harness/small-image.ts";
import { assertBooted, powerOn } from "../harness/virtual-pi.ts";

const clone = fileURLToPath(new URL("../..", import.meta.url));
const skip = await lacks(["ip", "dnsmasq", "podman", "buildah", "mmdebstrap", "npm", ...IMAGE_PROGRAMS]);

/** What the image says of itself. */
interface ImageConfig {
	readonly Entrypoint: readonly string[];
	readonly Cmd: readonly string[];
	readonly Volumes: Readonly<Record<string, unknown>>;
}

let folder = "";
let lab: Lab;
let router: Router;

/** Everything of it lies in the test's folder. */
const storage = () => ["--root", join(folder, "storage"), "--runroot", join(folder, "run")];
const podman = (...args: string[]) => must(["podman", ...storage(), ...args], { timeout: 900_000 });
const buildah = (...args: string[]) => ["buildah", ...storage(), ...args];

/** npm and the Node of this clone on top of the base: what a base for the build has to have. */
async function makeBuildBase(): Promise<void> {
	const context = join(folder, "build-base");
	await mkdir(context);
	const modules = (await must(["npm", "root", "-g"])).trim();
	await cp(join(modules, "npm"), join(context, "npm"), { recursive: true, dereference: true });
	await copyFile(await realpath(process.execPath), join(context, "node"));
	await copyFile("/etc/ssl/certs/ca-certificates.crt", join(context, "ca-certificates.crt"));
	const lines = [
		"FROM localhost/base",
		"COPY node /usr/local/bin/node",
		"COPY npm /usr/local/lib/node_modules/npm",
		"COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt",
		"RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm",
	];
	await writeFile(join(context, "Dockerfile"), `${lines.join("\n")}\n`);
	await podman("build", "-q", "--isolation=chroot", "--layers=false", "-t", "localhost/build-base", context);
}

before(async () => {
	if (skip !== false) return;
	folder = await mkdtemp(join(tmpdir(), "container-"));
	for (const name of ["images", "data"]) await mkdir(join(folder, name));
	makeSmallImage(join(folder, "images"), folder, { kernelBytes: 10_000 });
	await podman("import", "-q", (await fixture("container-base.sh")).trim(), "localhost/base");
	await makeBuildBase();
	lab = await Lab.create();
	router = await Router.start(lab);
	await lab.addHost("pi", { mac: "e4:5f:01:09:02:f7" });
});

after(async () => {
	if (skip !== false) return;
	await router?.stop();
	await lab?.remove();
	// Layers are mounted while something works on them.
	await must([...buildah("rm", "--all")]);
	await podman("rmi", "--all", "--force");
	await rm(folder, { recursive: true, maxRetries: 5, retryDelay: 1000 });
});

describe("the container", { skip }, () => {
	it("is built on bases that are arguments", async () => {
		const cache = join(homedir(), ".npm");
		await mkdir(cache, { recursive: true });
		const bases = ["--build-arg", "BASE=localhost/base", "--build-arg", "BUILD_BASE=localhost/build-base"];
		const how = [
			"--isolation=chroot",
			"--network=host",
			"--layers=false",
			"--format=docker",
			"-v",
			`${cache}:/root/.npm`,
		];
		await podman("build", "-q", ...how, ...bases, "-t", "localhost/pi-netboot-server", clone);
		const config: ImageConfig = JSON.parse(
			await podman("image", "inspect", "--format", "{{json .Config}}", "localhost/pi-netboot-server"),
		);
		assert.deepEqual([config.Entrypoint, config.Cmd], [["pi-netboot"], ["serve"]]);
		assert.deepEqual(Object.keys(config.Volumes).toSorted(), ["/data", "/images"]);
		const health = await podman("image", "inspect", "localhost/pi-netboot-server");
		assert.match(health, /"\/app\/tools\/container\/health\.mjs"/);
	});

	it("boots a virtual Pi, and says that it is well", async () => {
		const container = (await must(buildah("from", "localhost/pi-netboot-server"))).trim();
		// Not at the volumes that the image names: this way of running it has some of its own there.
		const volumes = ["images", "data"].flatMap((name) => ["-v", `${join(folder, name)}:/srv/${name}`]);
		// As compose.yaml has it: what is empty counts as not given.
		const settings = [
			"IMAGES_DIR=/srv/images",
			"DATA_DIR=/srv/data",
			"SERVER_IP=",
			"DHCP_RANGE_START=",
			"DHCP_RANGE_END=",
		];
		const place = ["DHCP_MODE=proxy", "INTERFACE=srv0"];
		const inside = (...command: string[]) => {
			const run = ["run", "--isolation=chroot", ...volumes, container, "--", "env", ...settings, ...place, ...command];
			return lab.on("srv", buildah(...run));
		};
		const server = new Background(inside("pi-netboot", "serve"));
		try {
			await server.waitFor(/^ready http:\/\/\S+$/m, 60_000);
			await eventually(
				"the image in the container",
				async () => /"state": "ready"/.test(await must(inside("pi-netboot", "images", "--json"))) || undefined,
				60_000,
			);
			assertBooted(await powerOn(lab, "pi", { model: "pi4", mac: "e4:5f:01:09:02:f7", serial: "91cdf03d" }));
			const health = ["/app/node_modules/.bin/node", "/app/tools/container/health.mjs"];
			assert.equal(await must(inside(...health)), "ok\n");
			assert.match(await must(inside("pi-netboot", "devices")), /91cdf03d .* userspace/);
			assert.match(await must(inside("pi-netboot", "login")), /^http:\/\/127\.0\.0\.1:38434\/\?code=/);
			assert.match(await readFile(join(folder, "data/token"), "utf8"), /^[0-9a-f]{64}\n$/);
		} finally {
			await server.stop("SIGTERM");
		}
	});
});
