/** The root of a Pi, mounted over NFS as the simulator's kernel does; for programs that run on a host of the lab. */
import { connect, type Socket } from "node:net";
import { mountRoot } from "../../simulator/src/mount.ts";
import { NfsClient } from "../../simulator/src/nfs.ts";
import { NfsRoot } from "../../simulator/src/nfs-root.ts";
import { TcpCaller } from "../../simulator/src/rpc-client.ts";

const NFS_PORT = 2049;
const ROOT = { uid: 0, gid: 0, machine: "reader" };

/** Mounts a root, lets `use` use it, and takes the connections down. */
export async function withRoot(
	address: string,
	exported: string,
	use: (root: NfsRoot) => Promise<void>,
): Promise<void> {
	const mount = new TcpCaller(await open(address, 901), 10_000, undefined);
	const handle = await mountRoot(mount, exported, ROOT);
	await mount.close();
	const caller = new TcpCaller(await open(address, 902), 10_000, undefined);
	await use(new NfsRoot(new NfsClient(caller, ROOT, { jukebox: 500, jukeboxRetries: 20 }), handle, 32_768));
	await caller.close();
}

/** From a port that only root may take. */
function open(host: string, localPort: number): Promise<Socket> {
	return new Promise((resolve, reject) => {
		const socket = connect({ host, port: NFS_PORT, localPort });
		socket.once("connect", () => resolve(socket)).once("error", reject);
	});
}
