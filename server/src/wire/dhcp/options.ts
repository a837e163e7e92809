/**
 * The options of a DHCP message: a run of code, length, data (RFC 2132 section 2), where data longer than 255 bytes comes
 * in several pieces under the same code (RFC 3396).
 */
import { ByteReader, type ByteWriter, MalformedError } from "../../base/index.ts";
import { OptionCode } from "./constants.ts";

/** Options by code, in the order in which they stand in the message. */
export type DhcpOptions = ReadonlyMap<number, Buffer>;

/** Gathers options from the up to three fields that may hold them. */
export class OptionCollector {
	readonly #pieces = new Map<number, Buffer[]>();

	/**
	 * Reads one field to its END option, or to its end: some clients leave END out when the field is full.
	 *
	 * @param field which one it is, for the error message.
	 * @throws MalformedError when an option reaches behind the field.
	 */
	readField(bytes: Uint8Array, field: string): void {
		const reader = new ByteReader(bytes, "dhcp");
		while (reader.remaining > 0) {
			const code = reader.u8();
			if (code === OptionCode.END) return;
			if (code === OptionCode.PAD) continue;
			const length = reader.u8(`length of option ${code} in ${field}`);
			this.#add(code, reader.bytes(length, `option ${code} in ${field}`));
		}
	}

	#add(code: number, data: Buffer): void {
		const pieces = this.#pieces.get(code);
		if (pieces === undefined) this.#pieces.set(code, [data]);
		else pieces.push(data);
	}

	/** The value of an option as far as it was read. */
	get(code: number): Buffer | undefined {
		const pieces = this.#pieces.get(code);
		return pieces === undefined ? undefined : Buffer.concat(pieces);
	}

	finish(): Map<number, Buffer> {
		return new Map([...this.#pieces].map(([code, pieces]) => [code, Buffer.concat(pieces)]));
	}
}

const LONGEST_PIECE = 255;

/** Appends the options and END. Data above 255 bytes is split as RFC 3396 section 6 says. */
export function writeOptions(writer: ByteWriter, options: DhcpOptions): void {
	for (const [code, data] of options) {
		let offset = 0;
		do {
			const piece = data.subarray(offset, offset + LONGEST_PIECE);
			writer.u8(code).u8(piece.length).bytes(piece);
			offset += LONGEST_PIECE;
		} while (offset < data.length);
	}
	writer.u8(OptionCode.END);
}

/** Refuses an option whose data has not the length which its RFC prescribes. @throws MalformedError. */
export function requireLength(options: DhcpOptions, code: number, length: number): Buffer | undefined {
	const data = options.get(code);
	if (data !== undefined && data.length !== length) {
		throw new MalformedError("dhcp", `dhcp: option ${code} has ${data.length} bytes, expected ${length}`);
	}
	return data;
}
