/**
 * Uploads that go on while somebody looks at other pages, in chunks that are taken up again after an interruption: also by
 * the same file after the page was closed.
 */
import { DetailedError, Upload } from "tus-js-client";
import { type Refusal, refusal } from "../../api/failures.ts";

export interface UploadView {
	readonly key: number;
	readonly name: string;
	readonly bytes: number;
	readonly sent: number;
	readonly state: "sending" | "waiting" | "paused" | "failed" | "done";
	readonly error: Error | undefined;
	/** The browser cannot read the file any more, or not as it was: to go on, a person has to choose it again. */
	readonly isGone: boolean;
	/** Went on where an earlier attempt had stopped. */
	readonly resumed: boolean;
}

const PLACE = "/api/v1/uploads";

/** Milliseconds between attempts, while the server is away. */
const RETRY = 2000;

interface Job {
	view: UploadView;
	readonly file: File;
	upload: Upload | undefined;
	retry: ReturnType<typeof setTimeout> | undefined;
}

class Uploads {
	readonly #jobs = new Map<number, Job>();
	readonly #listeners = new Set<() => void>();
	#views: readonly UploadView[] = [];
	#next = 1;

	readonly subscribe = (listener: () => void): (() => void) => {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	};

	readonly views = (): readonly UploadView[] => this.#views;

	add(file: File): void {
		// It goes on with what arrived of an earlier attempt: to cancel that one would take this one's, too.
		for (const { view, file: earlier } of [...this.#jobs.values()]) {
			const isAgain = view.isGone ? earlier.name === file.name : isSame(earlier, file);
			if (isAgain && view.state !== "sending") this.dismiss(view.key);
		}
		const key = this.#next++;
		const view: UploadView = {
			key,
			name: file.name,
			bytes: file.size,
			sent: 0,
			state: "sending",
			error: undefined,
			isGone: false,
			resumed: false,
		};
		this.#jobs.set(key, { view, file, upload: undefined, retry: undefined });
		this.#tell();
		void this.#begin(key, false);
	}

	pause(key: number): void {
		const job = this.#jobs.get(key);
		clearTimeout(job?.retry);
		void job?.upload?.abort();
		this.#change(key, { state: "paused" });
	}

	/** Goes on where the server has come to. @param replace a file of its name. */
	resume(key: number, replace = false): void {
		this.#change(key, { state: "sending", error: undefined });
		void this.#begin(key, replace);
	}

	/** Takes away what has arrived, too. */
	cancel(key: number): void {
		// The server forgets what nobody goes on with; that it could not be told now changes nothing here.
		void this.#jobs
			.get(key)
			?.upload?.abort(true)
			.catch((error: unknown) => console.info("the upload's rest stays for now", error));
		this.dismiss(key);
	}

	dismiss(key: number): void {
		clearTimeout(this.#jobs.get(key)?.retry);
		this.#jobs.delete(key);
		this.#tell();
	}

	async #begin(key: number, replace: boolean): Promise<void> {
		const job = this.#jobs.get(key);
		if (job === undefined) return;
		const upload = new Upload(job.file, {
			endpoint: PLACE,
			metadata: { filename: job.file.name, ...(replace && { replace: "true" }) },
			retryDelays: null,
			removeFingerprintOnSuccess: true,
			onProgress: (sent) => this.#change(key, { sent, state: "sending" }),
			onSuccess: () => void this.#done(key),
			onError: (error) => void this.#failed(key, error),
		});
		job.upload = upload;
		const [earlier] = await upload.findPreviousUploads();
		if (earlier !== undefined && !replace) {
			upload.resumeFromPreviousUpload(earlier);
			this.#change(key, { resumed: true });
		}
		if (this.#jobs.get(key)?.view.state === "sending") upload.start();
	}

	/** A file that is changed while it is sent goes on to be read: what arrived may be of both. */
	async #done(key: number): Promise<void> {
		const job = this.#jobs.get(key);
		if (job === undefined) return;
		const isGone = !(await isReadable(job.file));
		this.#change(key, { state: "done", sent: job.file.size, isGone });
	}

	/** A server that is away comes back; what it refuses, it refuses again. */
	async #failed(key: number, cause: Error): Promise<void> {
		const job = this.#jobs.get(key);
		if (job === undefined) return;
		const error = readFailure(cause);
		// To a browser a file that it cannot read looks like a server that does not answer.
		const isGone = error === undefined && !(await isReadable(job.file));
		if (this.#jobs.get(key) !== job || job.view.state === "paused") return;
		if (isGone || (error !== undefined && !isPassing(error))) {
			this.#change(key, { state: "failed", error, isGone });
			return;
		}
		this.#change(key, { state: "waiting" });
		job.retry = setTimeout(() => this.resume(key), RETRY);
	}

	#change(key: number, change: Partial<UploadView>): void {
		const job = this.#jobs.get(key);
		if (job === undefined) return;
		job.view = { ...job.view, ...change };
		this.#tell();
	}

	#tell(): void {
		this.#views = [...this.#jobs.values()].map(({ view }) => view);
		for (const listener of this.#listeners) listener();
	}
}

/** The one set of uploads of this page. */
export const uploads = new Uploads();

/** As far as a browser tells. */
function isSame(one: File, other: File): boolean {
	return one.name === other.name && one.size === other.size && one.lastModified === other.lastModified;
}

/** Whether it is still where it was, and as it was. */
async function isReadable(file: File): Promise<boolean> {
	try {
		await file.slice(0, 1).arrayBuffer();
		return true;
	} catch (error) {
		if (error instanceof DOMException) return false;
		throw error;
	}
}

/** What the server said, undefined where it said nothing. */
function readFailure(error: Error): Refusal | undefined {
	const response = error instanceof DetailedError ? error.originalResponse : null;
	if (!response) return undefined;
	return refusal(response.getStatus(), response.getBody());
}

function isPassing({ status, code }: Refusal): boolean {
	return status >= 500 ? code !== "import-no-space" : code === "upload-offset" || code === "import-cancelled";
}
