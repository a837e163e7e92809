import assert from "node:assert/strict";
import { resolve } from "node:path";
import { describe, it } from "node:test";
import { ConfigError, loadConfig } from "./config.ts";

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
			dhcp: "proxy",
			imagesDir: resolve("images"),
			dataDir: resolve("data"),
			httpHost: "0.0.0.0",
			httpPort: 38434,
			dhcpPort: 67,
			tftpPort: 69,
			nfsPort: 2049,
			portmapPort: 111,
			auth: "token",
			allowedHosts: [],
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
			'  --dhcp "on": expected proxy or off; this version does not give out addresses itself',
			'  --http-port "99999": expected a port number, 0 to 65535 (0 = any that is free)',
			'  NFS_PORT "-1": expected a port number, 0 to 65535 (0 = any that is free)',
			'  AUTH "none": expected token, off',
		]);
	});

	it("may not name one port twice, except 0", () => {
		assert.match(problems({ tftpPort: "67" })[0] ?? "", /--tftp-port 67: --dhcp-port has this port already/);
		assert.deepEqual(problems({ tftpPort: "0", dhcpPort: "0" }), []);
	});
});
