/**
 * Server-sent events (WHATWG HTML section 9.2). Each client has a stream; one that does not read is cut off when too much
 * waits for it. Who comes back gets what was missed, as long as that is remembered, and else is told to ask for the lists again.
 * One whose token or session ended meanwhile hears no more.
 */
import type { ServerResponse } from "node:http";
import type { ServerEventType } from "@pi-netboot/api";
import type { Clock, Timer } from "../base/index.ts";
import { ApiError } from "./errors.ts";
import type { EventService, SentEvent } from "./services.ts";

/** Below the idle limits of proxies and routers (most close at 60 s). */
const heartbeatMilliseconds = 20_000;

/** Bytes that may wait for a slow reader; more than the hub remembers. */
const mostWaiting = 512 * 1024;

const mostStreams = 64;

/** Milliseconds in which the browser that ended all sessions learns of its new one, before its stream ends with the others. */
const graceMilliseconds = 1000;

/** Time that a browser waits until it connects anew. */
const retryMilliseconds = 2000;

const streamHeaders = {
	"content-type": "text/event-stream; charset=utf-8",
	"cache-control": "no-store",
	"x-accel-buffering": "no",
	connection: "close",
};

interface Stream {
	readonly unsubscribe: () => void;
	/** Whether its client may listen still. */
	readonly mayListen: () => boolean;
}

export class EventStreams {
	readonly #events: EventService;
	readonly #clock: Clock;
	readonly #streams = new Map<ServerResponse, Stream>();
	#heartbeat: Timer | undefined;
	#closed = false;

	constructor(events: EventService, clock: Clock) {
		this.#events = events;
		this.#clock = clock;
	}

	get size(): number {
		return this.#streams.size;
	}

	/** @throws ApiError unavailable when no further client can listen; to be asked before the response is taken over. */
	admit(): void {
		if (this.#closed) throw new ApiError("unavailable", "The server is stopping.");
		if (this.#streams.size < mostStreams) return;
		throw new ApiError("unavailable", `${mostStreams} clients are listening already.`, { hint: "Close some pages." });
	}

	/**
	 * Answers with the stream of events until either side closes.
	 *
	 * @param headers to send besides those of the stream.
	 * @param types only these, or all when undefined.
	 * @param lastId of the last event that the client saw, where it has seen one.
	 * @param mayListen asked now and then; the stream ends when it is no longer so.
	 */
	open(
		response: ServerResponse,
		headers: Readonly<Record<string, string>>,
		types: readonly ServerEventType[] | undefined,
		lastId: string | undefined,
		mayListen: () => boolean,
	): void {
		response.writeHead(200, { ...headers, ...streamHeaders });
		const send = (event: SentEvent): void => {
			if (types?.includes(event.type) ?? true) sendText(response, encode(event));
		};
		const missed = lastId === undefined ? [] : this.#events.since(lastId);
		// The id holds also for who hears of no event before the connection breaks.
		response.write(`id: ${missed === undefined || lastId === undefined ? this.#events.lastId : lastId}\n`);
		response.write(`retry: ${retryMilliseconds}\n\n`);
		if (missed === undefined) response.write("event: reset\ndata: {}\n\n");
		for (const event of missed ?? []) send(event);
		const unsubscribe = this.#events.subscribe((_, sent) => send(sent));
		this.#streams.set(response, { unsubscribe, mayListen });
		this.#heartbeat ??= this.#beat();
		response.once("close", () => this.#forget(response));
	}

	/** Somebody may listen no more: those are ended soon. */
	reviewSoon(): void {
		this.#clock.after(graceMilliseconds, () => this.#review());
	}

	#review(): void {
		for (const [response, { mayListen }] of this.#streams) if (!mayListen()) this.#end(response);
	}

	/** Ends all streams; no new ones are admitted. */
	close(): void {
		this.#closed = true;
		for (const response of this.#streams.keys()) this.#end(response);
	}

	#end(response: ServerResponse): void {
		this.#forget(response);
		response.end();
	}

	#forget(response: ServerResponse): void {
		this.#streams.get(response)?.unsubscribe();
		this.#streams.delete(response);
		if (this.#streams.size > 0) return;
		this.#heartbeat?.cancel();
		this.#heartbeat = undefined;
	}

	/** A comment line now and then tells both sides that the other is still there. Its id is that of what was left out. */
	#beat(): Timer {
		return this.#clock.after(heartbeatMilliseconds, () => {
			this.#review();
			for (const response of this.#streams.keys()) sendText(response, `: still here\nid: ${this.#events.lastId}\n\n`);
			this.#heartbeat = this.#beat();
		});
	}
}

function sendText(response: ServerResponse, text: string): void {
	if (response.writableLength + text.length > mostWaiting) response.destroy();
	else response.write(text);
}

/** JSON has no line breaks, so one `data` line holds it. */
function encode({ id, type, json }: SentEvent): string {
	return `event: ${type}\ndata: ${json}\nid: ${id}\n\n`;
}
