/** nfs-ganesha, the peer: it exports a folder over NFSv3, on a host of its own in the lab. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Background } from "../test/harness/command.ts";
import type { Lab } from "../test/harness/lab.ts";

export const GANESHA_HOST = "peer";
export const GANESHA_ADDRESS = "10.77.0.2";
export const GANESHA_MOUNT_PORT = 20048;

/** A mount namespace of its own, because Ganesha and rpcbind keep their state in /run and /var/lib/nfs. */
const SCRIPT = `
mount -t tmpfs tmpfs /run
mkdir -p /run/ganesha /run/rpcbind /var/lib/nfs/ganesha
mount -t tmpfs tmpfs /var/lib/nfs
mkdir -p /var/lib/nfs/ganesha
rpcbind -f -w &
rpcbind=$!
for turn in 1 2 3 4 5 6 7 8 9; do [ -S /run/rpcbind.sock ] && break; sleep 0.1; done
ganesha.nfsd -F -f "$1/conf" -p /run/ganesha/pid &
ganesha=$!
echo "ganesha is $ganesha"
wait $ganesha
kill $rpcbind
`;

function configuration(tree: string, address: string, log: string): string {
	return `
NFS_CORE_PARAM {
	Protocols = 3; NFS_Port = 2049; MNT_Port = ${GANESHA_MOUNT_PORT}; Bind_addr = ${address};
	mount_path_pseudo = false; Enable_NLM = false; Enable_RQUOTA = false; NSM_Use_Caller_Name = false;
}
NFSv4 { Graceless = true; RecoveryBackend = fs; }
EXPORT_DEFAULTS { Squash = No_Root_Squash; SecType = sys; Protocols = 3; Transports = TCP; Access_Type = RW; }
LOG { Default_Log_Level = EVENT; Facility { name = FILE; destination = "${log}"; enable = active; } }
EXPORT { Export_Id = 1; Path = "${tree}"; Pseudo = "/export"; Tag = "root"; FSAL { Name = VFS; } }
`;
}

export interface GaneshaPlace {
	/** A host of the lab, and its address. */
	readonly host: string;
	readonly address: string;
}

export class Ganesha {
	readonly pid: number;
	readonly #program: Background;
	readonly #folder: string;

	private constructor(pid: number, program: Background, folder: string) {
		this.pid = pid;
		this.#program = program;
		this.#folder = folder;
	}

	/** Exports `tree` by its own path. */
	static async start(lab: Lab, tree: string, { host, address }: GaneshaPlace): Promise<Ganesha> {
		const folder = await mkdtemp(join(tmpdir(), "ganesha-"));
		await writeFile(join(folder, "conf"), configuration(tree, address, join(folder, "log")));
		const program = new Background(lab.on(host, ["unshare", "-m", "bash", "-c", SCRIPT, "bash", folder]));
		const [, pid] = await program.waitFor(/^ganesha is (\d+)$/m, 10_000);
		const ready = 'until ss -ltn | grep -q ":2049 "; do sleep 0.1; done; echo listens';
		const waiting = new Background(lab.on(host, ["bash", "-c", ready]), { timeout: 20_000 });
		await waiting.waitFor(/listens/, 20_000);
		return new Ganesha(Number(pid), program, folder);
	}

	async stop(): Promise<void> {
		process.kill(this.pid, "SIGKILL");
		await this.#program.ended;
		await rm(this.#folder, { recursive: true, force: true });
	}
}
