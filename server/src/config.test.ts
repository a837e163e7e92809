import assert from "node:assert/strict";
import { resolve } from "node:path";
import { describe, it } from "node:test";
import { ConfigError, loadConfig, readSettings, settings } from "./config.ts";

function problems(flags: Record<string, string>, env: NodeJS.ProcessEnv = {}): string[] {
	try {
		loadConfig(flags, env);
	} catch (error) {
		assert.ok(error instanceof ConfigError);
		return error.message.split("\n").slice(1);
	}
	return [];
}

describe("the settings", () => {
	it("have the defaults of the contract", () => {
		assert.deepEqual(loadConfig({}, {}), {
			imagesDir: resolve("images"),
			dataDir: resolve("data"),
			httpHost: "0.0.0.0",
			httpPort: 38434,
			dhcpPort: 67,
			tftpPort: 69,
			nfsPort: 2049,
			portmapPort: 111,
			netconsolePort: 6666,
			writesAtOnce: 10,
			auth: "token",
			allowedHosts: [],
			trustedProxies: [],
			catalogUrl: "https://downloads.raspberrypi.com/os_list_imagingutility_v4.json",
			logLevel: "info",
			logFormat: "text",
		});
	});

	it("come from flags before the environment", () => {
		const env = { HTTP_PORT: "1", TFTP_PORT: "6969", INTERFACE: "eth1", ALLOWED_HOSTS: "a.lan, b.lan", AUTH: "" };
		const config = loadConfig({ httpPort: "2", serverIp: "192.0.2.2" }, env);
		assert.deepEqual([config.httpPort, config.tftpPort, config.interface], [2, 6969, "eth1"]);
		assert.deepEqual([config.serverIp, config.allowedHosts, config.auth], ["192.0.2.2", ["a.lan", "b.lan"], "token"]);
	});

	it("that are wrong are all named at once, with what is right", () => {
		const said = problems({ httpPort: "99999", dhcp: "on", serverIp: "pi" }, { AUTH: "none", NFS_PORT: "-1" });
		assert.deepEqual(said, [
			'  --server-ip "pi": expected an IPv4 address like 192.168.1.2',
			'  --dhcp "on": expected proxy, full, off',
			'  --http-port "99999": expected a port number, 0 to 65535 (0 = any that is free)',
			'  NFS_PORT "-1": expected a port number, 0 to 65535 (0 = any that is free)',
			'  AUTH "none": expected token, off',
		]);
	});

	it("may not name one port twice, except 0", () => {
		assert.match(problems({ tftpPort: "67" })[0] ?? "", /--tftp-port 67: --dhcp-port has this port already/);
		assert.match(problems({}, { DHCP_PORT: "69" })[0] ?? "", /--tftp-port 69: DHCP_PORT has this port already/);
		assert.deepEqual(problems({ tftpPort: "0", dhcpPort: "0" }), []);
	});

	it("of full DHCP are ranges, addresses and times", () => {
		const config = loadConfig(
			{ dhcp: "full", dhcpRange: "10.0.0.9-10.0.0.90, 10.5.0.10-10.5.0.99/24", dhcpLease: "2m", dhcpEverybody: true },
			{ DHCP_ROUTER: "none", DHCP_DNS: "9.9.9.9 10.0.0.1", DHCP_INSIST: "1" },
		);
		assert.deepEqual(config.dhcpRange, [
			{ start: "10.0.0.9", end: "10.0.0.90" },
			{ start: "10.5.0.10", end: "10.5.0.99", prefix: 24 },
		]);
		assert.deepEqual([config.dhcpRouter, config.dhcpDns, config.dhcpLease], [null, ["9.9.9.9", "10.0.0.1"], 120]);
		assert.deepEqual([config.dhcpEverybody, config.dhcpInsist], [true, true]);
		const ends = loadConfig({}, { DHCP_RANGE_START: "10.0.0.9", DHCP_RANGE_END: "10.0.0.90" });
		assert.deepEqual(ends.dhcpRange, [{ start: "10.0.0.9", end: "10.0.0.90" }]);
	});

	it("of full DHCP that are wrong are named", () => {
		const said = problems(
			{ dhcpRouter: "pi", dhcpLease: "1m" },
			{ DHCP_RANGE_START: "10.0.0.9", DHCP_EVERYBODY: "on" },
		);
		assert.deepEqual(said, [
			'  DHCP_RANGE_START and DHCP_RANGE_END "10.0.0.9-": expected a range like 192.168.1.100-192.168.1.200, further ones behind relays like 10.5.0.10-10.5.0.99/24',
			'  --dhcp-router "pi": expected an IPv4 address like 192.168.1.1, or none',
			'  --dhcp-lease "1m": expected a time from 2m to 7d, like 1h, 30m or 3600',
			'  DHCP_EVERYBODY "on": expected yes or no',
		]);
		assert.equal(problems({ dhcpRange: "10.0.0.90-10.0.0.9" }).length, 1);
		assert.equal(problems({ dhcpRange: "," }).length, 1);
	});

	it("that are nonsense, negative or too large are named with what is expected, or mean what they say", () => {
		const taken: string[] = [];
		for (const { env } of Object.values(settings)) {
			const [name, other] = [env].flat();
			for (const nonsense of ["abc", "-1", "1e3", "0x10", "99999999999999999999", "a b", "\u0000"]) {
				const said = problems({}, { [String(name)]: nonsense });
				for (const line of said) assert.match(line, new RegExp(`^  ${name}( and ${other})? ".*": expected `, "s"));
				if (said.length === 0) taken.push(`${name} ${nonsense}`);
			}
		}
		const anything = ["INTERFACE", "IMAGES_DIR", "DATA_DIR", "ALLOWED_HOSTS"];
		assert.deepEqual([...new Set(taken.map((one) => one.split(" ")[0]))], anything);
	});

	it("that are empty are none in the environment, and a mistake as a flag", () => {
		const names = Object.values(settings).flatMap(({ env }) => env);
		const empty = Object.fromEntries(names.map((name) => [name, " "]));
		assert.deepEqual(loadConfig({}, empty), loadConfig({}, {}));
		for (const [key, { flag }] of Object.entries(settings)) {
			if (!["allowedHosts", "trustedProxies"].includes(key) && flag.includes("<"))
				assert.equal(problems({ [key]: "" }).length, 1, flag);
		}
	});

	it("that are host names are names alone", () => {
		for (const wrong of ["http://pi.lan", "pi.lan:443", "*.lan", "-"]) {
			assert.match(problems({ allowedHosts: wrong })[0] ?? "", /--allow-host .*: expected a host name/, wrong);
		}
		assert.deepEqual(loadConfig({}, { ALLOWED_HOSTS: "Pi.Lan" }).allowedHosts, ["pi.lan"]);
	});

	it("that are proxies are addresses and subnets, and never everybody", () => {
		const proxies = ["192.168.1.5", "10.0.0.0/8", "::1", "fd00::/8"];
		assert.deepEqual(loadConfig({}, { TRUSTED_PROXIES: proxies.join(", ") }).trustedProxies, proxies);
		for (const wrong of ["proxy.lan", "0.0.0.0/0", "::/0", "::ffff:0:0/96", "10.0.0.0/33", "10.0.0.1:80"]) {
			assert.match(problems({ trustedProxies: wrong })[0] ?? "", /^ {2}--trusted-proxies ".*": expected /, wrong);
		}
	});

	it("can be had by themselves, whatever the others are", () => {
		const env = { HTTP_PORT: "80", NFS_PORT: "none" };
		assert.deepEqual(readSettings(["httpHost", "httpPort"], {}, env), { httpHost: "0.0.0.0", httpPort: 80 });
		assert.throws(
			() => readSettings(["httpPort"], {}, { HTTP_PORT: "abc" }),
			/HTTP_PORT "abc": expected a port number/,
		);
	});
});
