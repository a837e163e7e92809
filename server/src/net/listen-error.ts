/** What to tell a person about a port that we could not have: one sentence, and the commands that change it. */
import { errorText, shellQuote, systemCode } from "../base/index.ts";
import { type PortOwner, type Protocol, portOwner } from "./port-owner.ts";

/** The port that was wanted, and what came instead. */
export interface ListenFailure {
	/** What the port is for, as a person knows it: `DHCP`, `TFTP`, `portmapper`. */
	readonly service: string;
	readonly protocol: Protocol;
	readonly port: number;
	readonly error: unknown;
}

export interface ListenAdvice {
	/** The system's code: `EACCES`, `EADDRINUSE`, ... */
	readonly code: string;
	readonly message: string;
	/** Any one of these helps; each can be pasted into a shell. */
	readonly commands: readonly string[];
}

/** Facts about the machine; tests bring their own. */
export interface AdviceContext {
	readonly platform: string;
	/** The program that needs the right: the project's own Node. */
	readonly execPath: string;
	/** Whether this is in a container: programs and files of the host are out of its sight. */
	readonly isContainer: boolean;
	readonly owner: (protocol: Protocol, port: number) => Promise<PortOwner | undefined>;
}

const systemContext: AdviceContext = {
	platform: process.platform,
	execPath: process.execPath,
	// Set by our Dockerfile: the marks of Docker itself stay on whatever was once made from an image.
	isContainer: process.env.PI_NETBOOT_CONTAINER === "yes",
	owner: portOwner,
};

/** Explains a failed bind. */
export async function adviseOnListenError(
	failure: ListenFailure,
	context: AdviceContext = systemContext,
): Promise<ListenAdvice> {
	const code = systemCode(failure.error) ?? "EUNKNOWN";
	const place = `${failure.service} (${failure.protocol} port ${failure.port})`;
	if (code === "EACCES" || code === "EPERM") return adviseOnRights(code, place, failure.port, context);
	if (code === "EADDRINUSE") return adviseOnOwner(code, place, failure, context);
	if (code === "EADDRNOTAVAIL") {
		const message = `${place} cannot listen: this machine no longer has that address.`;
		return { code, message, commands: [] };
	}
	return { code, message: `${place} cannot listen: ${errorText(failure.error)}.`, commands: [] };
}

function adviseOnRights(code: string, place: string, port: number, context: AdviceContext): ListenAdvice {
	const allowAll = `sudo sysctl net.ipv4.ip_unprivileged_port_start=${Math.min(port, 67)}`;
	if (context.isContainer) {
		const message = `${place} is off: the user of this container may not listen on ports below 1024, root may; or the host allows it to all.`;
		return { code, message, commands: [allowAll] };
	}
	const message = `${place} is off: an ordinary user may not listen on ports below 1024.`;
	if (context.platform !== "linux") return { code, message, commands: ["sudo npm start"] };
	const commands = [
		// +ep: in the effective set when the program starts, since Node does not raise capabilities by itself.
		`sudo setcap cap_net_bind_service=+ep ${shellQuote(context.execPath)}`,
		allowAll,
		"sudo npm start",
	];
	return { code, message, commands };
}

async function adviseOnOwner(
	code: string,
	place: string,
	failure: ListenFailure,
	context: AdviceContext,
): Promise<ListenAdvice> {
	const { protocol, port } = failure;
	const owner = await context.owner(protocol, port);
	if (owner !== undefined) {
		const message = `${place} is off: ${owner.name} (process ${owner.pid}) has the port.`;
		return { code, message, commands: [stopCommand(owner)] };
	}
	const other = context.isContainer ? "a program outside of this container" : "another program, of another user,";
	const message = `${place} is off: ${other} has the port.`;
	const list =
		context.platform === "linux"
			? `sudo ss -lnp${protocol === "udp" ? "u" : "t"} 'sport = :${port}'`
			: `sudo lsof -nP -i${protocol.toUpperCase()}:${port}`;
	return { code, message, commands: [list] };
}

function stopCommand(owner: PortOwner): string {
	if (owner.unit !== undefined) return `sudo systemctl stop ${shellQuote(owner.unit)}`;
	// systemd holds the ports of socket units, such as rpcbind's, itself.
	return owner.pid === 1 ? "sudo systemctl list-sockets" : `sudo kill ${owner.pid}`;
}
