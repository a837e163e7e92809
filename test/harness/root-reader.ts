/**
 * Run as a program on a host of the lab: `root-reader.ts ADDRESS EXPORT PATH...`. Mounts a root over NFS as the simulator's
 * kernel does, and prints what the files hold: JSON by path, null for what is not there.
 */
import { connect, type Socket } from "node:net";
import { mountRoot } from "../../simulator/src/mount.ts";
import { NfsClient } from "../../simulator/src/nfs.ts";
import { NfsRoot } from "../../simulator/src/nfs-root.ts";
import { TcpCaller } from "../../simulator/src/rpc-client.ts";

const NFS_PORT = 2049;
const ROOT = { uid: 0, gid: 0, machine: "reader" };

const [address = "", exported = "", ...paths] = process.argv.slice(2);

/** From a port that only root may take. */
function open(localPort: number): Promise<Socket> {
	return new Promise((resolve, reject) => {
		const socket = connect({ host: address, port: NFS_PORT, localPort });
		socket.once("connect", () => resolve(socket)).once("error", reject);
	});
}

const mount = new TcpCaller(await open(901), 10_000, undefined);
const handle = await mountRoot(mount, exported, ROOT);
await mount.close();
const caller = new TcpCaller(await open(902), 10_000, undefined);
const root = new NfsRoot(new NfsClient(caller, ROOT, { jukebox: 500, jukeboxRetries: 20 }), handle, 32_768);
const found: Record<string, string | null> = {};
for (const path of paths) found[path] = (await root.readFile(path))?.toString("latin1") ?? null;
await caller.close();
console.log(JSON.stringify(found));
