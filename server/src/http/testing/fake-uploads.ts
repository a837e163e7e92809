/** Uploads in memory, for tests. */
import type { Readable } from "node:stream";
import { NetbootError } from "../../base/index.ts";
import type { UnfinishedUpload, UploadService, UploadState } from "../services.ts";

export class FakeUploads implements UploadService {
	readonly #uploads = new Map<string, UnfinishedUpload & { readonly bytes: Buffer }>();

	create({ name, size, fingerprint }: Parameters<UploadService["create"]>[0]): UploadState {
		if (name === "taken.img") throw new NetbootError("image-exists", "There is a file of this name.");
		const known = { name, size, createdAt: 1_700_000_000_000, ...(fingerprint !== undefined && { fingerprint }) };
		const upload = { ...known, id: `u${this.#uploads.size + 1}`, imageId: name, offset: 0, bytes: Buffer.alloc(0) };
		this.#uploads.set(upload.id, upload);
		return upload;
	}

	list(): UnfinishedUpload[] {
		return [...this.#uploads.values()].filter(({ offset, size }) => offset < size);
	}

	get(id: string): (UnfinishedUpload & { readonly bytes: Buffer }) | undefined {
		return this.#uploads.get(id);
	}

	async append(id: string, offset: number, body: Readable): Promise<UploadState> {
		const upload = this.#uploads.get(id);
		if (upload === undefined) throw new NetbootError("upload-not-found", `There is no upload ${id}.`);
		if (offset !== upload.offset) throw new NetbootError("upload-offset", `It is at ${upload.offset}.`);
		const parts: Buffer[] = await body.toArray();
		const bytes = Buffer.concat([upload.bytes, ...parts]);
		this.#uploads.set(id, { ...upload, bytes, offset: bytes.length });
		return { ...upload, offset: bytes.length };
	}

	remove(id: string): boolean {
		return this.#uploads.delete(id);
	}
}
