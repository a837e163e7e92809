/**
 * Who may have a connection when there are too many. One that has shown who it is goes after all those that have not: a stranger
 * who opens connections without end keeps nobody from the page.
 */
import type { Socket } from "node:net";
import { Admission, type Guest } from "../net/index.ts";

const places = 512;
/** A browser opens six, and keeps them. */
const perAddress = 64;
const fairShare = 16;

/** Requests of one connection that are not answered yet; no browser sends a second one before the first is answered. */
const mostPending = 16;

class Visitor implements Guest {
	pending = 0;
	readonly address: string;
	readonly #socket: Socket;
	isWanted = false;

	constructor(socket: Socket, address: string) {
		this.#socket = socket;
		this.address = address;
	}

	evict(): void {
		this.#socket.destroy();
	}
}

export class Connections {
	readonly #admission: Admission<Visitor>;
	readonly #visitors = new WeakMap<Socket, Visitor>();

	/** @param isProxy whether an address is that of a reverse proxy, which has the connections of many. */
	constructor(isProxy: (address: string) => boolean = () => false) {
		this.#admission = new Admission({ places, perAddress, fairShare, isShared: isProxy });
	}

	/** Connections that are open. */
	get size(): number {
		return this.#admission.size;
	}

	/** Lets a connection in, or closes it. */
	accept(socket: Socket): void {
		// It may be gone already.
		const visitor = new Visitor(socket, socket.remoteAddress ?? "");
		if (!this.#admission.admit(visitor)) {
			socket.destroy();
			return;
		}
		this.#visitors.set(socket, visitor);
		socket.once("close", () => this.#admission.leave(visitor));
	}

	/** A request has come. One that sends them without waiting for answers is closed. */
	begin(socket: Socket): void {
		const visitor = this.#visitors.get(socket);
		if (visitor !== undefined && ++visitor.pending > mostPending) socket.destroy();
	}

	/** A request is answered. */
	end(socket: Socket): void {
		const visitor = this.#visitors.get(socket);
		if (visitor !== undefined) visitor.pending--;
	}

	/** It has shown a token or a session. */
	recognise(socket: Socket): void {
		const visitor = this.#visitors.get(socket);
		if (visitor !== undefined) visitor.isWanted = true;
	}
}
