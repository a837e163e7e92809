/** What the TFTP server needs from the rest: the file behind a name, for this client. */

/** A file to be sent. It is read in large pieces, in order, and may be read again from a place already sent. */
export interface TftpFile {
	/** Bytes; what `tsize` is answered with. */
	readonly size: number;
	/** Gives `length` bytes from `offset` on, fewer only at the end of the file. */
	read(offset: number, length: number): Promise<Uint8Array>;
	/** What `read` gave from `offset` on is no longer looked at; not said of what is left when the file is closed. */
	release?(offset: number): void;
	/** Called once, when the transfer has ended in whatever way. */
	close(): void;
}

/** The client of a transfer. */
export interface TftpClient {
	readonly address: string;
	readonly port: number;
	/** The address of ours that it asked. */
	readonly served: string;
	/** Whose MAC address is behind its address, where that was looked for when it asked. */
	readonly mac?: string | undefined;
}

/** How a transfer ended. A `probe` is a client that only wanted to know whether the file exists, and how large it is. */
export type TftpOutcome = "complete" | "probe" | "aborted" | "timeout" | "failed";

export interface TftpPort {
	/**
	 * Opens the file that the client names. The name is as it came, slashes and all, not yet checked.
	 *
	 * @returns undefined when there is no such file: the client is told at once with error 1.
	 */
	open(name: string, client: TftpClient): Promise<TftpFile | undefined>;

	/** A transfer ended. `bytes` were acknowledged, of `size`. */
	ended(name: string, client: TftpClient, outcome: TftpOutcome, bytes: number, size: number): void;
}
