/** A GUID as text: its first three fields are little endian on the disk. */
export function guidText(bytes: Buffer): string {
	const first = bytes.readUInt32LE(0).toString(16).padStart(8, "0");
	const second = bytes.readUInt16LE(4).toString(16).padStart(4, "0");
	const third = bytes.readUInt16LE(6).toString(16).padStart(4, "0");
	return `${first}-${second}-${third}-${bytes.toString("hex", 8, 10)}-${bytes.toString("hex", 10, 16)}`;
}
