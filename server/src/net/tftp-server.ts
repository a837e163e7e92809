/**
 * The sockets of the TFTP server: one per served address for requests, and one of its own for each transfer, bound to the
 * same address, so that answers come from where the client asked, and connected to the client, so that nobody else is heard.
 */
import type { RemoteInfo, Socket } from "node:dgram";
import {
	type Clock,
	errorText,
	FileError,
	isNetbootError,
	type Logger,
	type Startable,
	settleSeries,
	systemCode,
} from "../base/index.ts";
import { isLoopback } from "../wire/rpc/index.ts";
import {
	decodeRequest,
	ErrorCode,
	encodeError,
	Opcode,
	opcodeOf,
	type TftpClient,
	type TftpFile,
	type TftpPort,
	type TftpRequest,
	Transfer,
} from "../wire/tftp/index.ts";
import { AddressSockets } from "./address-sockets.ts";
import { Admission, type Guest } from "./admission.ts";
import { NeighbourKeeper } from "./neighbour-keeper.ts";
import { Turns } from "./tftp-turns.ts";
import { bindUdp, closeUdp, connectUdp } from "./udp.ts";

export interface TftpServerOptions {
	/** The addresses to answer on; `0.0.0.0` for all. */
	readonly addresses: readonly string[];
	/** 69, or 0 for any free one. */
	readonly port: number;
	/** Where the files are. */
	readonly files: TftpPort;
	readonly clock: Clock;
	readonly log: Logger;
	/** Who is behind an address, where others than this server need to know it too. */
	readonly neighbours?: NeighbourKeeper;
	/** Transfers at a time; who has to go for the next one is decided in `admission.ts`. */
	readonly maxTransfers?: number;
	/** Transfers at a time for one client address. Loopback is exempt: all virtual Pis may share it. */
	readonly maxTransfersPerClient?: number;
}

/** A firmware fetches one file after the other. */
const FAIR_SHARE = 4;

/** A Pi that was switched off and on asks again from the same port, but its link alone takes longer than this to come up. */
const RESTART_MS = 2500;

/** A request that is being answered. */
class Session implements Guest {
	readonly client: TftpClient;
	readonly name: string;
	/** Undefined while the file is being opened. */
	transfer: Transfer | undefined;
	/** Set when the session ended before its transfer began. */
	isCancelled = false;

	constructor(client: TftpClient, name: string) {
		this.client = client;
		this.name = name;
	}

	get address(): string {
		return this.client.address;
	}

	get hasProgressed(): boolean {
		return this.transfer?.hasProgressed ?? false;
	}

	/** Somebody is there who reads: the first answer was acknowledged. */
	get isWanted(): boolean {
		return this.hasProgressed;
	}

	evict(): void {
		this.cancel();
	}

	cancel(): void {
		this.isCancelled = true;
		this.transfer?.abort();
	}
}

export class TftpServer implements Startable {
	readonly #options: Required<TftpServerOptions>;
	readonly #sessions = new Map<string, Session>();
	readonly #turns = new Turns();
	readonly #listeners = new AddressSockets((address) => this.#listen(address));
	/** Transfers and error replies whose sockets are not closed yet. */
	readonly #running = new Set<Promise<void>>();
	/** How many of them are answers to an address. */
	readonly #runningFor = new Map<string, number>();
	readonly #admission: Admission<Session>;

	constructor(options: TftpServerOptions) {
		const neighbours = new NeighbourKeeper(options);
		this.#options = { maxTransfers: 256, maxTransfersPerClient: 16, neighbours, ...options };
		const { maxTransfers, maxTransfersPerClient } = this.#options;
		this.#admission = new Admission({ places: maxTransfers, perAddress: maxTransfersPerClient, fairShare: FAIR_SHARE });
	}

	/** The port of the first address; useful when 0 was asked for. */
	get port(): number {
		return this.#listeners.first?.address().port ?? this.#options.port;
	}

	/** Transfers that are running. */
	get transfers(): number {
		return this.#sessions.size;
	}

	/** @throws ExternalError with the system's code when a port cannot be bound; then none is. */
	async start(): Promise<void> {
		try {
			for (const { error } of await this.#listeners.start(this.#options.addresses)) throw error;
		} catch (error) {
			await this.stop();
			throw error;
		}
	}

	/** Answers on these addresses from now on. One that cannot be bound is logged: it may be gone again already. */
	async setAddresses(addresses: readonly string[]): Promise<void> {
		for (const { error } of await this.#listeners.set(addresses)) this.#options.log.warn(`tftp: ${errorText(error)}`);
	}

	async #listen(address: string): Promise<Socket> {
		const socket = await bindUdp({ address, port: this.#options.port });
		socket.on("error", (error) => this.#options.log.warn(`tftp: socket of ${address}: ${errorText(error)}`));
		socket.on("message", (bytes, sender) => this.#request(address, bytes, sender));
		return socket;
	}

	async stop(): Promise<void> {
		for (const session of this.#sessions.values()) session.cancel();
		await settleSeries([() => this.#listeners.close(), () => Promise.all(this.#running)]);
	}

	/** A datagram on a listening socket. Everything but requests is left unanswered: it is no part of any transfer. */
	#request(local: string, bytes: Buffer, sender: RemoteInfo): void {
		const opcode = opcodeOf(bytes);
		if ((opcode !== Opcode.RRQ && opcode !== Opcode.WRQ) || sender.port === 0) return;
		if (this.#isSwamped(sender.address)) return;
		const client = { address: sender.address, port: sender.port, served: local };
		const request = this.#decode(bytes, client);
		const refusal = request === undefined ? MALFORMED : refusalOf(request);
		if (refusal !== undefined) this.#track(client, this.#refuse(local, client, refusal));
		else if (request !== undefined) this.#serve(local, client, request);
	}

	/** Refusals are quick, but a flood of them would take all file descriptors, and one address shall not take the others'. */
	#isSwamped(address: string): boolean {
		const { maxTransfers, maxTransfersPerClient } = this.#options;
		if (this.#running.size >= 2 * maxTransfers) return true;
		return !isLoopback(address) && (this.#runningFor.get(address) ?? 0) >= 2 * maxTransfersPerClient;
	}

	#decode(bytes: Buffer, client: TftpClient): TftpRequest | undefined {
		try {
			return decodeRequest(bytes);
		} catch (error) {
			if (!isNetbootError(error)) throw error;
			this.#options.log.debug(`tftp: ${client.address}:${client.port}: ${error.message}`);
			return undefined;
		}
	}

	#serve(local: string, client: TftpClient, request: TftpRequest): void {
		const key = `${client.address}:${client.port}`;
		const running = this.#sessions.get(key);
		if (running !== undefined && isRepeated(running, request)) return;
		if (running !== undefined) this.#replace(this.#forget(key, running), request);
		const session = new Session(client, request.filename);
		if (!this.#admission.admit(session)) {
			this.#options.log.warn(`tftp: too many transfers, request of ${client.address} dropped`);
			return;
		}
		this.#sessions.set(key, session);
		this.#track(
			client,
			this.#run(local, session, request).finally(() => this.#forget(key, session)),
		);
	}

	/**
	 * The firmware takes its ports from a short range again and again, and a boot ROM has one for all its files: a new name from
	 * there means that it is through with the one before, or gave it up. Who asks for the same file again does not have it.
	 */
	#replace(running: Session, { filename }: TftpRequest): void {
		if (running.name !== filename) running.transfer?.clientLeft();
		running.cancel();
	}

	#forget(key: string, session: Session): Session {
		this.#admission.leave(session);
		if (this.#sessions.get(key) === session) this.#sessions.delete(key);
		return session;
	}

	async #run(local: string, session: Session, request: TftpRequest): Promise<void> {
		const { address } = session.client;
		// Only the ROM of a Pi up to 3 sends no options, and only that of a 3B does not answer ARP meanwhile.
		const isDeaf = request.options.length === 0;
		const keeping = isLoopback(address) ? undefined : this.#options.neighbours.keep(address, isDeaf, session);
		try {
			await this.#answer(local, session, request, await keeping?.mac);
		} finally {
			keeping?.release();
		}
	}

	async #answer(local: string, session: Session, request: TftpRequest, mac: string | undefined): Promise<void> {
		const file = await this.#open(session, mac);
		if (!("read" in file)) {
			await this.#refuse(local, session.client, file);
			return;
		}
		const socket = await this.#socketFor(local, session, file);
		if (socket === undefined) return;
		await this.#transfer(session, request, file, socket);
		await closeUdp(socket);
	}

	/** Opens the file, or gives the ERROR packet that tells the client why not. */
	async #open({ client, name }: Session, mac: string | undefined): Promise<TftpFile | Buffer> {
		try {
			return (await this.#options.files.open(name, { ...client, mac })) ?? NOT_FOUND;
		} catch (error) {
			const sentence = `tftp: ${client.address} asked for ${JSON.stringify(name)}: ${errorText(error)}`;
			if (error instanceof FileError || isNetbootError(error)) this.#options.log.warn(sentence);
			else this.#options.log.error({ err: error }, sentence);
			return refusalOfError(error);
		}
	}

	async #socketFor(local: string, session: Session, file: TftpFile): Promise<Socket | undefined> {
		try {
			return await this.#socketTo(local, session.client);
		} catch (error) {
			this.#over(session, file, "failed", 0, error);
			file.close();
			return undefined;
		}
	}

	async #socketTo(local: string, client: TftpClient): Promise<Socket> {
		const socket = await bindUdp({ address: local, port: 0 });
		try {
			await connectUdp(socket, client.address, client.port);
		} catch (error) {
			await closeUdp(socket);
			throw error;
		}
		return socket;
	}

	/** Resolves when the transfer has ended. */
	#transfer(session: Session, request: TftpRequest, file: TftpFile, socket: Socket): Promise<void> {
		return new Promise((resolve) => {
			const transfer = new Transfer({
				file,
				requested: request.options,
				clock: this.#options.clock,
				send(packet) {
					socket.send(packet);
					// Node sends at once where the kernel has room, and otherwise keeps the buffer until it has.
					return socket.getSendQueueCount() === 0;
				},
				ended: (outcome, bytes, error) => {
					this.#over(session, file, outcome, bytes, error);
					resolve();
				},
			});
			session.transfer = transfer;
			socket.on("message", (bytes) => this.#turns.take(transfer, bytes, this.#sessions.size < 2));
			socket.on("error", (error) => this.#socketFailed(session, transfer, error));
			if (session.isCancelled) transfer.abort();
			else transfer.start();
		});
	}

	#socketFailed(session: Session, transfer: Transfer, error: Error): void {
		this.#options.log.debug(`tftp: ${session.client.address}: ${errorText(error)}`);
		// The client has closed its port. Anything else may pass: the transfer's timer will try again.
		if (systemCode(error) === "ECONNREFUSED") transfer.clientLeft();
	}

	#over(
		session: Session,
		file: TftpFile,
		outcome: Parameters<TftpPort["ended"]>[2],
		bytes: number,
		error: unknown,
	): void {
		const { log, files } = this.#options;
		const name = JSON.stringify(session.name);
		if (error !== undefined) log.error({ err: error }, `tftp: ${name}: ${errorText(error)}`);
		try {
			files.ended(session.name, session.client, outcome, bytes, file.size);
		} catch (failure) {
			// The transfer is over all the same, and its socket is to be closed.
			log.error({ err: failure }, `tftp: ${name}: its end was not noted: ${errorText(failure)}`);
		}
	}

	/** Sends an ERROR from a fresh port, as a transfer would. A client that cannot be reached misses nothing. */
	async #refuse(local: string, client: TftpClient, packet: Buffer): Promise<void> {
		try {
			const socket = await this.#socketTo(local, client);
			socket.on("error", (error) => this.#options.log.debug(`tftp: ${client.address}: ${errorText(error)}`));
			await new Promise<void>((resolve) => {
				socket.send(packet, () => resolve());
			});
			await closeUdp(socket);
		} catch (error) {
			this.#options.log.debug(`tftp: ${client.address}: ${errorText(error)}`);
		}
	}

	/** Keeps `stop` waiting for this, and keeps its failure from ending the process. */
	#track({ address }: TftpClient, work: Promise<void>): void {
		const tracked = work
			.catch((error: unknown) => this.#options.log.error({ err: error }, `tftp: ${errorText(error)}`))
			.finally(() => {
				this.#running.delete(tracked);
				this.#count(address, -1);
			});
		this.#running.add(tracked);
		this.#count(address, 1);
	}

	#count(address: string, change: number): void {
		const count = (this.#runningFor.get(address) ?? 0) + change;
		if (count > 0) this.#runningFor.set(address, count);
		else this.#runningFor.delete(address);
	}
}

const MALFORMED = encodeError(ErrorCode.ILLEGAL_OPERATION, "malformed request");
const NOT_FOUND = encodeError(ErrorCode.FILE_NOT_FOUND, "file not found");
const READ_ONLY = encodeError(ErrorCode.ACCESS_VIOLATION, "this server is read-only");
/** Boot files are binary: turning their line ends around would break them, and sending them as they are would be a lie. */
const ONLY_OCTET = encodeError(ErrorCode.NOT_DEFINED, "only mode octet is served");

function refusalOf(request: TftpRequest): Buffer | undefined {
	if (request.opcode === Opcode.WRQ) return READ_ONLY;
	return request.mode === "octet" ? undefined : ONLY_OCTET;
}

function refusalOfError(error: unknown): Buffer {
	const code = error instanceof FileError ? error.code : undefined;
	if (code === "ENOENT" || code === "ENOTDIR") return NOT_FOUND;
	if (code === "EACCES" || code === "EPERM") return encodeError(ErrorCode.ACCESS_VIOLATION, "access denied");
	return encodeError(ErrorCode.NOT_DEFINED, "the server could not open this file");
}

/**
 * The client sends its request again when our first packet is late or lost: the transfer's own timer covers that. Where we were
 * late the copy is read when the transfer is already under way; to take it for a new request would leave the client alone with
 * the transfer that it follows.
 */
function isRepeated(running: Session, request: TftpRequest): boolean {
	if (running.name !== request.filename) return false;
	return !running.hasProgressed || (running.transfer?.quietFor ?? 0) < RESTART_MS;
}
