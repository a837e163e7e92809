/**
 * Runs in namespaces of its own, for `rpcbind.test.ts`. `host`: registers with the rpcbind of this machine, over its local
 * socket and over TCP. `own`: is the port mapper on 111 itself. Prints what happened as JSON.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { errorText, silentLogger, systemCode } from "../../server/src/base/index.ts";
import { RpcServer, registerWithRpcbind } from "../../server/src/net/index.ts";
import { createPortmapProgram, IPPROTO_TCP, IPPROTO_UDP, RpcService } from "../../server/src/wire/rpc/index.ts";

const mappings = [
	{ program: 100003, version: 3, protocol: IPPROTO_TCP, port: 2049 },
	{ program: 100005, version: 3, protocol: IPPROTO_TCP, port: 2049 },
	{ program: 100005, version: 3, protocol: IPPROTO_UDP, port: 2049 },
];

/** Our lines of `rpcinfo -p`, as "program version protocol port". */
async function registered(): Promise<string[]> {
	const { stdout } = await promisify(execFile)("rpcinfo", ["-p", "127.0.0.1"]);
	const lines = stdout.split("\n").map((line) => line.trim().split(/\s+/).slice(0, 4).join(" "));
	return lines.filter((line) => /^10000[35] /.test(line)).sort();
}

const codeOf = (error: unknown) => systemCode(error) ?? errorText(error);

async function withHost(address: { socketPath?: string; port?: number }) {
	const registration = await registerWithRpcbind(mappings, address);
	const during = await registered();
	const foreign = { program: 100003, version: 3, protocol: IPPROTO_TCP, port: 3049 };
	const refused = await registerWithRpcbind([foreign], address).then(() => "registered", codeOf);
	const afterRefusal = await registered();
	await registration.unregister();
	return { during, refused, afterRefusal, after: await registered() };
}

async function beOwn() {
	const service = new RpcService([createPortmapProgram(mappings)], silentLogger);
	const server = new RpcServer({ tcp: service, udp: service, logger: silentLogger });
	await server.listen(111, "0.0.0.0");
	const during = await registered();
	await server.close();
	return { during };
}

const noSocket = "/run/no-such.sock";
const results =
	process.argv[2] === "own"
		? [await beOwn()]
		: [
				await withHost({}),
				await withHost({ socketPath: noSocket }),
				{ silent: await registerWithRpcbind(mappings, { socketPath: noSocket, port: 9 }).then(() => "", codeOf) },
			];
console.log(JSON.stringify(results));
