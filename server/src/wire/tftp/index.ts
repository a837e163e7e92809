/** TFTP (RFC 1350, 2347, 2348, 2349, 7440), read-only: packets, the state machine of a transfer, and names. No sockets. */
export { normaliseName } from "./names.ts";
export {
	decodeRequest,
	ErrorCode,
	encodeError,
	Opcode,
	opcodeOf,
	type TftpOption,
	type TftpRequest,
} from "./packet.ts";
export type { TftpClient, TftpFile, TftpOutcome, TftpPort } from "./port.ts";
export { PIECE_SIZE } from "./read-ahead.ts";
export { GIVE_UP_AFTER, Transfer, type TransferOptions } from "./transfer.ts";
