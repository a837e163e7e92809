/** Every decoder of the server. */
import type { FuzzTarget } from "../target.ts";
import { packed, tar } from "./archives.ts";
import { blockmap } from "./blockmap.ts";
import { dhcp } from "./dhcp.ts";
import { dhcpLeases } from "./dhcp-leases.ts";
import { ext, fat, journal, partitions } from "./disk.ts";
import { handles } from "./handles.ts";
import { httpRequests } from "./http.ts";
import { kernels, patches } from "./image-files.ts";
import { portmapReply, rpcCall, rpcStream } from "./nfs.ts";
import { planted } from "./planted.ts";
import { cmdline, configTxt, hostText } from "./text.ts";
import { tftp } from "./tftp.ts";

export const targets: readonly FuzzTarget[] = [
	...[dhcp, dhcpLeases, tftp, rpcCall, rpcStream, portmapReply, handles],
	...[partitions, ext, journal, fat, blockmap, packed, tar],
	...[configTxt, cmdline, hostText, patches, kernels, httpRequests],
];

/** @throws RangeError for a name that no target has. */
export function findTarget(name: string): FuzzTarget {
	const found = [...targets, planted].find((target) => target.name === name);
	if (found === undefined)
		throw new RangeError(`no target ${name}; there are ${targets.map((each) => each.name).join(", ")}`);
	return found;
}
