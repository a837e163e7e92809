/**
 * Reads `config.txt` as the firmware does, for one board: the sections that hold for it, its included files, and what it
 * will load in the end.
 */
import type { BootModel } from "./inspect-models.ts";

/** The boot volume, as far as `config.txt` is concerned. Names are relative to it. */
export interface BootFiles {
	/** The text of a file, or undefined when there is none. */
	read(name: string): string | undefined;
	exists(name: string): boolean;
}

export interface EffectiveConfig {
	/** The kernel that is loaded, or undefined when none of those that are looked for is there. */
	readonly kernel: string | undefined;
	/** The initramfs files that are loaded, in order, whether they exist or not. */
	readonly initramfs: readonly string[];
	/** The file with the kernel's command line. */
	readonly cmdline: string;
	/** `device_tree=`, or undefined when the firmware chooses. */
	readonly deviceTree: string | undefined;
	/** `os_prefix=`: stands before the name of each of the above. */
	readonly osPrefix: string;
	/** `config.txt` and the files that it includes, as far as they are there. */
	readonly files: readonly string[];
}

/** The firmware stops somewhere too; a file that includes itself must not keep us. */
const MAX_INCLUDES = 32;

const MODEL_FILTER = /^(none|(pi|cm)[0-9][0-9a-z+]*)$/;

export interface ConfigReaderOptions {
	/** 8 or 16 hex digits, for `[0xSERIAL]` sections; only the low 32 bits count. */
	readonly serial?: string | undefined;
	/** The one boot that follows `reboot "0 tryboot"`: `[tryboot]` sections hold, and `tryboot.txt` is read where it exists. */
	readonly tryboot?: boolean;
}

/** What a board gets out of `config.txt`. */
export function effectiveConfig(
	files: BootFiles,
	model: BootModel,
	options: ConfigReaderOptions = {},
): EffectiveConfig {
	const reader = new ConfigReader(files, model, options);
	reader.include(options.tryboot === true && files.exists("tryboot.txt") ? "tryboot.txt" : "config.txt");
	const osPrefix = reader.setting("os_prefix") ?? "";
	const kernel = chooseKernel(files, model, reader, osPrefix);
	const deviceTree = reader.setting("device_tree");
	return {
		kernel,
		initramfs: chooseInitramfs(kernel, reader, osPrefix),
		cmdline: osPrefix + (reader.setting("cmdline") ?? "cmdline.txt"),
		deviceTree: deviceTree === undefined || deviceTree === "" ? undefined : osPrefix + deviceTree,
		osPrefix,
		files: reader.included,
	};
}

/** "Filters of one type replace each other, filters of different types add up, and `[all]` ends them all." */
class ConfigReader {
	readonly #files: BootFiles;
	readonly #model: BootModel;
	readonly #serial: string | undefined;
	readonly #tryboot: boolean;
	readonly #settings = new Map<string, string>();
	/** By type of filter: whether the one that holds now lets this board through. */
	readonly #filters = new Map<string, boolean>();
	readonly included: string[] = [];
	initramfs: string | undefined;

	constructor(files: BootFiles, model: BootModel, { serial, tryboot }: ConfigReaderOptions) {
		this.#files = files;
		this.#model = model;
		this.#serial = serial?.slice(-8).toLowerCase();
		this.#tryboot = tryboot === true;
	}

	setting(key: string): string | undefined {
		return this.#settings.get(key);
	}

	include(name: string): void {
		if (this.included.length >= MAX_INCLUDES) return;
		const text = this.#files.read(name);
		if (text === undefined) return;
		this.included.push(name);
		for (const line of text.split(/\r?\n/)) this.#line(line.trim());
	}

	#line(line: string): void {
		if (line === "" || line.startsWith("#")) return;
		const section = /^\[(.*)\]$/.exec(line)?.[1];
		if (section !== undefined) this.#section(section.trim().toLowerCase());
		else if ([...this.#filters.values()].every((passes) => passes)) this.#statement(line);
	}

	#section(filter: string): void {
		if (filter === "all") this.#filters.clear();
		else if (MODEL_FILTER.test(filter)) this.#filters.set("model", this.#model.filters.includes(filter));
		else if (filter.startsWith("0x")) this.#filters.set("serial", this.#isOurSerial(filter.slice(2)));
		else if (filter === "tryboot") this.#filters.set("tryboot", this.#tryboot);
		// What depends on a monitor, a pin or a boot flag is not known here: taken as not so, which is the usual case.
		else this.#filters.set(filter.replace(/[^a-z].*$/, ""), false);
	}

	#isOurSerial(digits: string): boolean {
		return this.#serial !== undefined && digits.padStart(8, "0").slice(-8) === this.#serial;
	}

	#statement(line: string): void {
		const include = /^include\s+(\S+)$/i.exec(line)?.[1];
		const initramfs = /^initramfs[\s=]+(\S+)/i.exec(line)?.[1];
		const [key = "", ...value] = line.split("=");
		if (include !== undefined) this.include(include);
		else if (initramfs !== undefined) this.initramfs = initramfs;
		else if (value.length > 0) this.#settings.set(key.trim().toLowerCase(), value.join("=").trim());
	}
}

function chooseKernel(files: BootFiles, model: BootModel, reader: ConfigReader, osPrefix: string): string | undefined {
	const named = reader.setting("kernel");
	if (named !== undefined && named !== "") return files.exists(osPrefix + named) ? osPrefix + named : undefined;
	const setting = reader.setting("arm_64bit");
	const is64 = setting === undefined ? model.arm64bit : setting !== "0";
	// The other width is tried last: a volume with kernels of one width only boots with that one.
	const first = is64 || model.kernels32.length === 0 ? model.kernels64 : model.kernels32;
	const second = first === model.kernels64 ? model.kernels32 : model.kernels64;
	return [...first, ...second].map((name) => osPrefix + name).find((name) => files.exists(name));
}

/** `auto_initramfs=1` takes the file that is called like the kernel: initramfs8 for kernel8.img. */
function chooseInitramfs(kernel: string | undefined, reader: ConfigReader, osPrefix: string): string[] {
	if (reader.initramfs !== undefined) return reader.initramfs.split(",").map((name) => osPrefix + name);
	if (reader.setting("auto_initramfs") !== "1" || kernel === undefined) return [];
	const name = initramfsName(kernel);
	return name === undefined ? [] : [name];
}

/** The initramfs that belongs to a kernel by its name, or undefined for one that has no such name. */
export function initramfsName(kernel: string): string | undefined {
	const match = /^(.*\/)?kernel([^/]*)\.img$/i.exec(kernel);
	return match === null ? undefined : `${match[1] ?? ""}initramfs${match[2] ?? ""}`;
}
