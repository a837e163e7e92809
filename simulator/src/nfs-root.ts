/** A mounted root, by paths: lookups name by name, symbolic links followed. */
import { BootError } from "./errors.ts";
import { type Attributes, FileType, type NfsClient, NO_VERIFIER } from "./nfs.ts";

/** Linux gives up behind so many (fs/namei.c, MAXSYMLINKS). */
const MAX_SYMLINKS = 40;

export class NfsRoot {
	readonly #client: NfsClient;
	readonly #root: Buffer;
	readonly #rsize: number;

	/** @param rsize bytes of one READ. */
	constructor(client: NfsClient, root: Buffer, rsize: number) {
		this.#client = client;
		this.#root = root;
		this.#rsize = rsize;
	}

	/** The content of a file, symbolic links followed, or undefined when there is none. */
	async readFile(path: string): Promise<Buffer | undefined> {
		const handle = await this.#find(path);
		if (handle === undefined) return undefined;
		const { type, size } = await this.#client.getattr(handle);
		if (type !== FileType.REG) throw new BootError(`${path} is not a file, but of type ${type}`);
		const parts: Buffer[] = [];
		for (let offset = 0; offset < size; ) {
			const { data, eof } = await this.#client.read(handle, offset, Math.min(this.#rsize, size - offset));
			if (data.length === 0) throw new BootError(`${path}: READ at ${offset} gives nothing, its size is ${size}`);
			parts.push(data);
			offset += data.length;
			if (eof && offset < size) throw new BootError(`${path}: ends at ${offset}, its size is ${size}`);
		}
		return Buffer.concat(parts);
	}

	/** The names in a directory, without `.` and `..`. */
	async list(path: string): Promise<string[]> {
		const handle = await this.#find(path);
		if (handle === undefined) throw new BootError(`there is no ${path}`);
		const names: string[] = [];
		const seen = new Set<bigint>();
		let cookie = 0n;
		let verifier = NO_VERIFIER;
		for (;;) {
			const part = await this.#client.readdirplus(handle, cookie, verifier);
			for (const entry of part.entries) {
				if (seen.has(entry.cookie)) throw new BootError(`${path}: READDIRPLUS gives the cookie ${entry.cookie} twice`);
				seen.add(entry.cookie);
				names.push(entry.name);
			}
			const last = part.entries.at(-1);
			if (part.eof) return names.filter((name) => name !== "." && name !== "..");
			if (last === undefined) throw new BootError(`${path}: READDIRPLUS gives nothing, and does not end`);
			cookie = last.cookie;
			verifier = part.verifier;
		}
	}

	/** What is at a path, and the target of a symbolic link: one at its end is not followed. Undefined when nothing is there. */
	async look(path: string): Promise<(Attributes & { readonly target: string }) | undefined> {
		const handle = await this.#find(path, false);
		if (handle === undefined) return undefined;
		const attributes = await this.#client.getattr(handle);
		const target = attributes.type === FileType.LNK ? await this.#client.readlink(handle) : "";
		return { ...attributes, target };
	}

	async #find(path: string, followLast = true): Promise<Buffer | undefined> {
		let directory = this.#root;
		let rest = path.split("/").filter((part) => part !== "");
		let parents: Buffer[] = [];
		for (let links = 0; rest.length > 0; ) {
			const [name = "", ...others] = rest;
			rest = others;
			if (name === ".") continue;
			if (name === "..") {
				directory = parents.pop() ?? this.#root;
				continue;
			}
			const found = await this.#client.lookup(directory, name);
			if (found === undefined) return undefined;
			const { type } = await this.#client.getattr(found);
			if (type !== FileType.LNK || (rest.length === 0 && !followLast)) {
				parents.push(directory);
				directory = found;
				continue;
			}
			if (++links > MAX_SYMLINKS) throw new BootError(`${path}: more than ${MAX_SYMLINKS} symbolic links`);
			const target = await this.#client.readlink(found);
			if (target.startsWith("/")) [directory, parents] = [this.#root, []];
			rest = [...target.split("/").filter((part) => part !== ""), ...rest];
		}
		return directory;
	}
}
