/**
 * The sockets of the boot services. One that may not be bound is named, with the command that fixes it, and the rest still
 * runs; virtual Pis on this machine then find the service on a port of loopback that anybody may have.
 */
import type { Health, ServiceHealth } from "@pi-netboot/api";
import { ExternalError, errorText, type Logger, settleSeries, systemCode } from "../base/index.ts";
import { adviseOnListenError, type Protocol } from "../net/index.ts";

export type ServiceName = keyof Health["services"];

/** How a service is started on a port. */
export interface Listener {
	readonly name: ServiceName;
	/** As a person knows it. */
	readonly title: string;
	readonly protocol: Protocol;
	readonly port: number;
	/** Listens, and gives the port and how to stop. `loopback`: for virtual Pis of this machine only. */
	open(port: number, loopback: boolean): Promise<Opened>;
}

export interface Opened {
	readonly port: number;
	close(): Promise<void>;
	/** The addresses of this machine are others than before. */
	follow?(): Promise<void>;
}

const LOOPBACK = "127.0.0.1";

/** A low port that is refused has its place for virtual Pis here: 67 becomes 10067. */
const UNPRIVILEGED = 10_000;

export class Listeners {
	readonly #log: Logger;
	readonly #states = new Map<ServiceName, ServiceHealth>();
	readonly #open = new Map<ServiceName, Opened>();

	constructor(log: Logger) {
		this.#log = log;
	}

	async start(listener: Listener): Promise<void> {
		try {
			const opened = await listener.open(listener.port, false);
			this.#open.set(listener.name, opened);
			this.#states.set(listener.name, { state: "running", port: opened.port });
		} catch (error) {
			await this.#failed(listener, error);
		}
	}

	async #failed(listener: Listener, error: unknown): Promise<void> {
		const { title, protocol, port } = listener;
		const advice = await adviseOnListenError({ service: title, protocol, port, error });
		const virtual = await this.#startForVirtualPis(listener, error);
		const where = virtual === undefined ? "" : ` Virtual Pis find it on ${LOOPBACK}:${virtual}.`;
		const hint = advice.commands.join("\n");
		this.#log.warn(
			{ service: listener.name },
			`${advice.message}${where}${hint === "" ? "" : ` Fix: ${advice.commands.join("  or  ")}`}`,
		);
		const health: ServiceHealth = { state: "failed", port: virtual ?? port, error: `${advice.message}${where}` };
		this.#states.set(listener.name, hint === "" ? health : { ...health, hint });
	}

	async #startForVirtualPis(listener: Listener, refused: unknown): Promise<number | undefined> {
		const code = systemCode(refused);
		if (code !== "EACCES" && code !== "EADDRINUSE") return undefined;
		try {
			const opened = await listener.open(listener.port + UNPRIVILEGED, true);
			this.#open.set(listener.name, opened);
			return opened.port;
		} catch (error) {
			this.#log.debug({ service: listener.name }, `nor on loopback: ${errorText(error)}`);
			return undefined;
		}
	}

	/** Stops a service on purpose. */
	async close(name: ServiceName, port: number): Promise<void> {
		const opened = this.#open.get(name);
		this.#open.delete(name);
		this.#states.set(name, { state: "off", port });
		await opened?.close();
	}

	/** Lets all of them follow the addresses of this machine. */
	async follow(): Promise<void> {
		for (const [name, opened] of this.#open) {
			await opened.follow?.().catch((error: unknown) => {
				this.#log.error({ service: name, err: error }, `does not follow the addresses: ${errorText(error)}`);
			});
		}
	}

	/** Notes a service that does not run on purpose, or that another program does for us. */
	note(name: ServiceName, health: ServiceHealth): void {
		this.#states.set(name, health);
	}

	health(name: ServiceName): ServiceHealth {
		return this.#states.get(name) ?? { state: "starting", port: 0 };
	}

	/** All of them, as the API shows them. */
	report(version: string): Health {
		const services = {
			dhcp: this.health("dhcp"),
			tftp: this.health("tftp"),
			nfs: this.health("nfs"),
			portmap: this.health("portmap"),
			netconsole: this.health("netconsole"),
		};
		// What a bootloader says is heard by nobody then, but it boots.
		const { netconsole: _, ...needed } = services;
		const isWhole = Object.values(needed).every(({ state }) => state === "running" || state === "off");
		return { status: isWhole ? "ok" : "degraded", version, services };
	}

	async stop(): Promise<void> {
		const all = [...this.#open.values()];
		this.#open.clear();
		await settleSeries(all.map((opened) => () => opened.close()));
	}
}

/** What to tell of a TCP port without which there is no server: what has it, and what to do. */
export async function explainListenError(
	title: string,
	port: number,
	flag: string,
	error: unknown,
): Promise<ExternalError> {
	const { code, message, commands } = await adviseOnListenError({ service: title, protocol: "tcp", port, error });
	const hint = [`Choose another port with ${flag}`, ...commands].join("  or  ");
	return new ExternalError(code, message, { hint, cause: error });
}
