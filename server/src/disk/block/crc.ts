/** The checksums that disk formats use. CRC-32 proper (GPT) comes from node:zlib. */

/** Eight tables: entry [k] of a byte is its CRC when k more zero bytes follow, so eight bytes are taken at a time. */
function reflectedTables(polynomial: number): readonly Uint32Array[] {
	const first = new Uint32Array(256);
	for (let byte = 0; byte < 256; byte++) {
		let crc = byte;
		for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0);
		first[byte] = crc >>> 0;
	}
	const tables = [first];
	for (let slice = 1; slice < 8; slice++) {
		const before = tables[slice - 1] ?? first;
		tables.push(before.map((crc) => ((crc >>> 8) ^ (first[crc & 0xff] ?? 0)) >>> 0));
	}
	return tables;
}

const CASTAGNOLI = Uint32Array.from(reflectedTables(0x82f63b78).flatMap((table) => [...table]));

/**
 * CRC-32C (Castagnoli) without the inversions: the running value as Linux's `crc32c()` takes and gives it.
 *
 * @param crc 0xffffffff at first, or what came out of the bytes before.
 */
export function crc32c(crc: number, bytes: Uint8Array, from = 0, to = bytes.length): number {
	const t = CASTAGNOLI;
	let value = crc;
	let at = from;
	for (; at + 8 <= to; at += 8) {
		const a = value ^ word(bytes, at);
		const b = word(bytes, at + 4);
		value =
			(t[1792 + (a & 0xff)] ?? 0) ^
			(t[1536 + ((a >>> 8) & 0xff)] ?? 0) ^
			(t[1280 + ((a >>> 16) & 0xff)] ?? 0) ^
			(t[1024 + (a >>> 24)] ?? 0) ^
			(t[768 + (b & 0xff)] ?? 0) ^
			(t[512 + ((b >>> 8) & 0xff)] ?? 0) ^
			(t[256 + ((b >>> 16) & 0xff)] ?? 0) ^
			(t[b >>> 24] ?? 0);
	}
	for (; at < to; at++) value = (value >>> 8) ^ (t[(value ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
	return value >>> 0;
}

function word(bytes: Uint8Array, at: number): number {
	return (
		(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24) | 0
	);
}

/** `crc32c` over a number of 4 bytes, little endian. */
export function crc32cOfU32(crc: number, value: number): number {
	return crc32c(crc, Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24));
}

/** CRC-16 (polynomial 0x8005 reflected), as Linux's `crc16()`: the checksum of `gdt_csum` group descriptors. */
export function crc16(crc: number, bytes: Uint8Array, from = 0, to = bytes.length): number {
	let value = crc;
	for (let at = from; at < to; at++) {
		value ^= bytes[at] ?? 0;
		for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xa001 : 0);
	}
	return value;
}

const BIG_ENDIAN = Uint32Array.from({ length: 256 }, (_, byte) => {
	let crc = byte << 24;
	for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
	return crc >>> 0;
});

/** CRC-32, most significant bit first, without the inversions, as Linux's `crc32_be()`: checksum v1 of a journal. */
export function crc32be(crc: number, bytes: Uint8Array): number {
	let value = crc;
	for (const byte of bytes) value = (value << 8) ^ (BIG_ENDIAN[(value >>> 24) ^ byte] ?? 0);
	return value >>> 0;
}
