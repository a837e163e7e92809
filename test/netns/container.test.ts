/**
 * The container, built from the Dockerfile without a registry of images, and run in the network of the lab's server. A virtual
 * Pi boots from it.
 */
import assert from "node:assert/strict";
import { copyFile, cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Background, must } from "../harness/command.ts";
import { fixture } from "../harness/fixture.ts";
import { Lab } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { Router } from "../harness/router.ts";
import { makeSmallImage } from "../harness/small-image.ts";
import { assertBooted, powerOn } from "../harness/virtual-pi.ts";

const clone = fileURLToPath(new URL("../..", import.meta.url));
const skip = await lacks([
	"ip",
	"dnsmasq",
	"podman",
	"crun",
	"nsenter",
	"unshare",
	"mmdebstrap",
	"npm",
	...IMAGE_PROGRAMS,
]);

/** What the image says of itself. */
interface ImageConfig {
	readonly Entrypoint: readonly string[];
	readonly Cmd: readonly string[];
	readonly Volumes: Readonly<Record<string, unknown>>;
}

const NAME = "netboot";
const PI = { model: "pi4", mac: "e4:5f:01:09:02:f7", serial: "91cdf03d" } as const;

let folder = "";
let lab: Lab;
let router: Router;

/** Everything of it lies in the test's folder. */
const storage = () => ["--root", join(folder, "storage"), "--runroot", join(folder, "run")];
const podman = (...args: string[]) => must(["podman", ...storage(), ...args], { timeout: 900_000 });

/**
 * Podman in the network of the lab's server. What it runs has no cgroups of its own, and sees those of version 2 alone: crun
 * does not take a machine that has both versions.
 */
const inLab = (...args: string[]) => {
	const mounts =
		'mount --make-rprivate / && mount -t tmpfs none /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"';
	const place = ["nsenter", `--net=/run/netns/${lab.host("srv")}`, "unshare", "--mount", "sh", "-c", mounts, "sh"];
	return [...place, "podman", ...storage(), ...args];
};

/** Runs the container until it is stopped; its settings are as the shell of a user of compose.yaml has them. */
function start(rights: readonly string[], settings: readonly string[]): Background {
	const limits = ["--cgroups=disabled", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"];
	const volumes = ["-v", `${join(folder, "images")}:/images:ro`, "-v", `${join(folder, "data")}:/data`];
	const environment = settings.flatMap((setting) => ["-e", setting]);
	const run = ["run", "--name", NAME, "--network", "host", ...limits, ...rights, ...volumes, ...environment];
	return new Background(inLab(...run, "localhost/pi-netboot-server"));
}

const inside = (...command: string[]) => must(inLab("exec", NAME, ...command));
const isWell = () => must(inLab("healthcheck", "run", NAME));

/** @returns its exit status, which is not 0 when it had to be killed. */
async function stop(container: Background): Promise<number | null> {
	await must(inLab("stop", "--time", "10", NAME));
	const status = await container.ended;
	await must(inLab("rm", NAME));
	return status;
}

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
	await lab.addHost("pi", { mac: PI.mac });
});

after(async () => {
	if (skip !== false) return;
	await router?.stop();
	await lab?.remove();
	// Layers are mounted while something works on them.
	await podman("rm", "--all", "--force");
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

	it("boots a virtual Pi, with no right but for low ports and nothing to write to but /data", async () => {
		const container = start(
			["--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--cap-add=NET_BIND_SERVICE"],
			["INTERFACE=srv0", "SERVER_IP=", "DHCP_MODE=proxy", "DHCP_RANGE_START=", "DHCP_RANGE_END="],
		);
		try {
			await container.waitFor(/^ready http:\/\/10\.77\.0\.1:38434\/\?code=\w+$/m, 60_000);
			await container.waitFor(/small is ready/, 60_000);
			assertBooted(await powerOn(lab, "pi", PI));
			await isWell();
			assert.match(await inside("pi-netboot", "devices"), /91cdf03d .* userspace/);
			assert.match(await inside("pi-netboot", "login"), /^http:\/\/10\.77\.0\.1:38434\/\?code=/);
			assert.match(await readFile(join(folder, "data/token"), "utf8"), /^[0-9a-f]{64}\n$/);
		} finally {
			assert.equal(await stop(container), 0, container.output);
		}
	});

	it("runs as an ordinary user, who is told what root could, and has all of it again", async () => {
		await must(["chown", "-R", "1000:1000", join(folder, "data")]);
		const container = start(["--user", "1000:1000", "--cap-drop=all"], ["INTERFACE=srv0", "HTTP_PORT=8080"]);
		try {
			await container.waitFor(/^ready http:\/\/10\.77\.0\.1:8080\/\?code=\w+$/m, 60_000);
			assert.match(container.output, /TFTP .* is off: the user of this container may not .* Fix: sudo sysctl /);
			await isWell();
			assert.match(await inside("pi-netboot", "devices"), /91cdf03d /);
		} finally {
			assert.equal(await stop(container), 0, container.output);
		}
	});
});
