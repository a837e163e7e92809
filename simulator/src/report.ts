/** What happened in a boot, step by step. */
import { now } from "./udp.ts";

export interface BootStep {
	/** Milliseconds since power-on. */
	readonly atMs: number;
	/** `dhcp`, `tftp`, `kernel` or `initramfs` (its DHCP), `portmap`, `mount`, `nfs`, `system` (its DHCP), `done`, `failed` */
	readonly step: string;
	readonly detail: string;
}

/** The variables of os-release(5). */
export type OsRelease = Readonly<Partial<Record<string, string>>> & { readonly PRETTY_NAME?: string };

export interface BootReport {
	readonly model: string;
	readonly mac: string;
	readonly serial: string;
	/** The address of the Pi, once it had one. */
	readonly address: string | undefined;
	/** Where the boot files came from. */
	readonly serverAddress: string | undefined;
	readonly steps: readonly BootStep[];
	/** Every address that it had, in their order, each once: of the firmware, the kernel and the system. */
	readonly addresses: readonly string[];
	/** Each file that was fetched, by the name that was asked for, unless its bytes were thrown away. */
	readonly files: ReadonlyMap<string, Buffer>;
	/** Bytes of each file that was fetched. */
	readonly sizes: ReadonlyMap<string, number>;
	readonly cmdline: string | undefined;
	/** The text of config.txt. */
	readonly config: string | undefined;
	readonly kernelName: string | undefined;
	readonly initramfsName: string | undefined;
	/** `/etc/os-release` of the root. */
	readonly osRelease: OsRelease | undefined;
	readonly hostname: string | undefined;
	/** Names in `/`. */
	readonly rootEntries: readonly string[] | undefined;
	readonly ok: boolean;
	/** Why it does not boot: a sentence. */
	readonly error: string | undefined;
}

export interface JournalOptions {
	readonly onStep?: ((step: BootStep) => void) | undefined;
	readonly signal?: AbortSignal | undefined;
}

/** Where a boot writes down what happens. */
export class Journal {
	readonly steps: BootStep[] = [];
	readonly files = new Map<string, Buffer>();
	readonly sizes = new Map<string, number>();
	readonly addresses = new Set<string>();
	ownAddress: string | undefined;
	serverAddress: string | undefined;
	readonly #started = now();
	readonly #options: JournalOptions;

	constructor(options: JournalOptions = {}) {
		this.#options = options;
	}

	get isStopped(): boolean {
		return this.#options.signal?.aborted ?? false;
	}

	step(step: string, detail: string): void {
		const entry = { atMs: Math.round(now() - this.#started), step, detail };
		this.steps.push(entry);
		this.#options.onStep?.(entry);
	}

	file(name: string, { content, size, milliseconds }: FetchedFile): void {
		if (content !== undefined) this.files.set(name, content);
		this.sizes.set(name, size);
		const rate = size > 1e6 ? `, ${(size / 1000 / Math.max(milliseconds, 1)).toFixed(1)} MB/s` : "";
		this.step("tftp", `${name}: ${size} bytes${rate}`);
	}

	/** Nothing more happens. Rejects when the plug is pulled. */
	hang(step: string, detail: string): Promise<never> {
		this.step(step, detail);
		return new Promise((_, reject) => {
			const { signal } = this.#options;
			// A Pi that hangs draws power: the process stays until the plug is pulled.
			const power = setInterval(() => {}, 60_000);
			const pull = () => {
				clearInterval(power);
				reject(signal?.reason);
			};
			if (this.isStopped) pull();
			else signal?.addEventListener("abort", pull, { once: true });
		});
	}

	address(own: string | undefined): void {
		this.ownAddress = own;
		if (own !== undefined) this.addresses.add(own);
	}
}

export interface FetchedFile {
	readonly content: Buffer | undefined;
	readonly size: number;
	readonly milliseconds: number;
}
