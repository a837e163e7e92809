/**
 * How long a request may take to arrive. Node has one time for all; an upload may take hours, as long as something comes.
 */
import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";

/** Milliseconds for a request that is no upload to arrive in full. */
const WHOLE = 30_000;
/** Milliseconds without a byte after which an upload's connection counts as dead. */
const SILENCE = 60_000;

/** Closes the connection of a request that does not arrive in time. */
export function limitArrival(request: IncomingMessage): void {
	// A request without a connection (`inject`) is never late, and may never say that it ended.
	if (request.complete || !(request.socket instanceof Socket)) return;
	const isUpload = request.headers["content-type"] === "application/offset+octet-stream";
	const end = isUpload ? limitSilence(request) : limitWhole(request);
	request.once("end", end).once("close", end);
}

/** What came keeps the connection alive; once all has come, the answer may take as long as it likes. */
function limitSilence(request: IncomingMessage): () => void {
	const { socket } = request;
	socket.setTimeout(SILENCE, () => {
		if (!request.complete) request.destroy();
	});
	return () => void socket.setTimeout(0);
}

function limitWhole(request: IncomingMessage): () => void {
	const timer = setTimeout(() => {
		if (!request.complete) request.destroy();
	}, WHOLE);
	timer.unref();
	return () => clearTimeout(timer);
}
