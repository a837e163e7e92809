/**
 * A file that is still being unpacked, as a part of a build. What has arrived is read, what has not is a `BlockFault` that ends when
 * it has. The file grows from its front, so the boot files are there long before the end.
 *
 * Who makes the file says how far it is, and how it ended: whole, and then it is a file like others, or not at all. Then nothing
 * of it is given any more: what was read may have been damaged too.
 */
import fs from "node:fs";
import { promisify } from "node:util";
import { BlockFault, errorText, MalformedError } from "../../base/index.ts";
import type { BlockSource } from "../../disk/index.ts";
import { type BuildPart, PartState } from "./build-part.ts";
import { FilePart } from "./file-part.ts";
import { ImageFile } from "./image-file.ts";

const openFile = promisify(fs.open);

interface Waiting {
	/** Bytes that must have arrived. */
	readonly need: number;
	readonly resolve: () => void;
}

/** See the head of this file. */
export class ArrivingPart implements BuildPart {
	readonly source: BlockSource;
	readonly #fd: number;
	readonly #file: ImageFile;
	readonly #state = new PartState("the image file");
	#arrived = 0;
	#waiting: Waiting[] = [];
	#whole: FilePart | undefined;
	#failure: string | undefined;

	private constructor(fd: number, size: number) {
		this.#fd = fd;
		this.#file = new ImageFile(fd, size);
		this.source = { size, read: (offset, target) => this.#read(offset, target) };
	}

	/**
	 * @param path of the file that grows; it may be renamed meanwhile.
	 * @param size bytes that it will have, as the format of the packed file tells. @throws the operating system's error.
	 */
	static async open(path: string, size: number): Promise<ArrivingPart> {
		return new ArrivingPart(await openFile(path, "r"), size);
	}

	get valid(): boolean {
		return this.#state.valid;
	}

	/** The file once all of it is there; undefined before. */
	get whole(): FilePart | undefined {
		return this.#whole;
	}

	/** Why it will never be whole, as a sentence. */
	get failure(): string | undefined {
		return this.#failure;
	}

	/** All bytes before this one are there, and final. */
	advance(bytes: number): void {
		this.#arrived = Math.max(this.#arrived, Math.min(bytes, this.source.size));
		this.#resume(({ need }) => need <= this.#arrived);
	}

	/** All of it is there, on the disk, and what it should be; under this name from now on. */
	async complete(path: string): Promise<void> {
		if (!this.valid) return;
		try {
			const { ino } = fs.fstatSync(this.#fd, { bigint: true });
			const { part } = await FilePart.open(path, {}, async () => undefined);
			const isSame = part.origin.stamp.ino === ino && part.source.size === this.source.size;
			if (!this.valid || !isSame) await part.close();
			else this.#becomeWhole(part);
			if (!isSame) this.fail(`it has ${part.source.size} bytes, and promised to have ${this.source.size}`);
		} catch (error) {
			this.fail(error);
		}
	}

	#becomeWhole(part: FilePart): void {
		part.onInvalid(() => this.#state.invalidate());
		this.#whole = part;
		this.advance(this.source.size);
	}

	/** Nothing more will come. Who waits for it, and who asks for anything from now on, is told. */
	fail(cause: unknown): void {
		this.#failure ??= errorText(cause);
		this.#state.invalidate();
		this.#resume(() => true);
	}

	enter(): void {
		this.#state.enter();
	}

	onInvalid(action: () => void): void {
		this.#state.onInvalid(action);
	}

	async check(): Promise<void> {
		await this.#whole?.check();
	}

	async close(): Promise<void> {
		this.#state.close();
		this.#resume(() => true);
		await this.#whole?.close();
		await this.#file.close();
	}

	/** @throws BlockFault; FileError EAGAIN when it will never be whole; MalformedError (`image`) for a range outside. */
	#read(offset: number, target: Uint8Array): void {
		this.enter();
		if (this.#whole === undefined) this.#readArrived(offset, target);
		else this.#whole.source.read(offset, target);
	}

	#readArrived(offset: number, target: Uint8Array): void {
		const end = offset + target.length;
		if (!Number.isSafeInteger(offset) || offset < 0 || end > this.source.size) {
			const what = `${target.length} bytes at offset ${offset}`;
			throw new MalformedError("image", `image: ${what} are not inside its ${this.source.size} bytes`);
		}
		if (end > this.#arrived) throw new BlockFault(this.#until(end));
		this.#file.read(offset, target);
	}

	#until(need: number): Promise<void> {
		return new Promise((resolve) => this.#waiting.push({ need, resolve }));
	}

	#resume(isOver: (waiting: Waiting) => boolean): void {
		const over = this.#waiting.filter(isOver);
		this.#waiting = this.#waiting.filter((each) => !isOver(each));
		for (const { resolve } of over) resolve();
	}
}
