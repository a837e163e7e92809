/**
 * Checkpoints and copies of the layers' databases, in a worker thread: they read much and wait for the disk, which must not
 * hold up the event loop. One worker serves all layers. This file is both sides: what the main thread imports,
 * and what the worker runs.
 */
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { ExternalError, errorText } from "../../base/index.ts";

const ROLE = "pi-netboot layer checkpointer";

interface Request {
	readonly id: number;
	readonly path: string;
	readonly task: Task;
}

type Task =
	/** `restart` waits until the writer can begin the WAL anew; otherwise it keeps growing while the Pi writes all the time. */
	{ readonly kind: "checkpoint"; readonly restart: boolean } | { readonly kind: "copy"; readonly to: string };

interface Answer {
	readonly id: number;
	readonly error: string | undefined;
}

interface Waiting {
	readonly resolve: () => void;
	readonly reject: (error: Error) => void;
}

/** Milliseconds without work after which the worker ends: it takes 10 MB, and most of the time nobody writes much. */
const IDLE_MS = 10_000;

let worker: Worker | undefined;
let idle: NodeJS.Timeout | undefined;
let nextId = 1;
const waiting = new Map<number, Waiting>();

/**
 * Copies the WAL of a database into it.
 *
 * @throws ExternalError when SQLite cannot, for example because the disk is full; nothing is lost then.
 */
export function checkpoint(path: string, restart: boolean): Promise<void> {
	return ask(path, { kind: "checkpoint", restart });
}

/**
 * Writes a database as it is now to a new file, which may be there when it is empty; not synced.
 *
 * @throws ExternalError when SQLite cannot.
 */
export function copyDatabase(path: string, to: string): Promise<void> {
	return ask(path, { kind: "copy", to });
}

function ask(path: string, task: Task): Promise<void> {
	clearTimeout(idle);
	worker ??= startWorker();
	const request: Request = { id: nextId++, path, task };
	return new Promise((resolve, reject) => {
		waiting.set(request.id, { resolve, reject });
		worker?.postMessage(request);
	});
}

function startWorker(): Worker {
	const started = new Worker(new URL(import.meta.url), { workerData: ROLE });
	started.on("message", ({ id, error }: Answer) => {
		const asked = waiting.get(id);
		waiting.delete(id);
		if (error === undefined) asked?.resolve();
		else asked?.reject(new ExternalError("checkpoint", error));
		if (waiting.size === 0) idle = setTimeout(() => end(started), IDLE_MS).unref();
	});
	started.on("error", (cause) => {
		worker = undefined;
		for (const { reject } of waiting.values()) reject(new ExternalError("checkpoint", errorText(cause), { cause }));
		waiting.clear();
	});
	// A checkpoint does not keep the process alive: the next one does its work. Listening for messages does, so this is last.
	started.unref();
	return started;
}

function end(idler: Worker): void {
	if (worker === idler) worker = undefined;
	void idler.terminate();
}

function answer({ id, path, task }: Request): Answer {
	try {
		run(path, task);
		return { id, error: undefined };
	} catch (error) {
		return { id, error: `${task.kind} of ${path}: ${errorText(error)}` };
	}
}

function run(path: string, task: Task): void {
	const url = pathToFileURL(path);
	// Not `rwc`: a layer that was dropped meanwhile must not come back.
	url.search = "mode=rw";
	const db = new DatabaseSync(url, { timeout: 1000 });
	try {
		if (task.kind === "copy") db.prepare("VACUUM INTO ?").run(task.to);
		else {
			db.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_checkpoint(PASSIVE);");
			// The long part is done; the writer waits for what came meanwhile only.
			if (task.restart) db.exec("PRAGMA wal_checkpoint(RESTART);");
		}
	} finally {
		db.close();
	}
}

if (!isMainThread && workerData === ROLE) {
	const port = parentPort;
	port?.on("message", (request: Request) => port.postMessage(answer(request)));
}
