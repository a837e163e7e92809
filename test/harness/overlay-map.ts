/** `overlay_map.dtb`, in the format of the Devicetree Specification (chapter 5): which overlay stands for which on a chip. */

const FDT_BEGIN_NODE = 1;
const FDT_END_NODE = 2;
const FDT_PROP = 3;
const FDT_END = 9;
const HEADER = 40;

/** @param map overlay -> chip -> the overlay to take there; an empty text for the overlay itself. */
export function overlayMap(map: Readonly<Record<string, Readonly<Record<string, string>>>>): Buffer {
	const names = [...new Set(Object.values(map).flatMap((chips) => Object.keys(chips)))];
	const strings = Buffer.from(names.map((name) => `${name}\0`).join(""));
	const property = ([chip, overlay]: [string, string]) => {
		const value = overlay === "" ? Buffer.alloc(0) : Buffer.from(`${overlay}\0`);
		return [words(FDT_PROP, value.length, strings.indexOf(`${chip}\0`)), padded(value)];
	};
	const node = ([name, chips]: [string, Readonly<Record<string, string>>]) => [
		...[words(FDT_BEGIN_NODE), padded(Buffer.from(`${name}\0`))],
		...[...Object.entries(chips).flatMap(property), words(FDT_END_NODE)],
	];
	const nodes = Buffer.concat(Object.entries(map).flatMap(node));
	const tree = Buffer.concat([words(FDT_BEGIN_NODE, 0), nodes, words(FDT_END_NODE, FDT_END)]);
	// An empty list of reserved memory is 16 zero bytes.
	const treeAt = HEADER + 16;
	const stringsAt = treeAt + tree.length;
	const total = stringsAt + strings.length;
	const header = words(0xd00dfeed, total, treeAt, stringsAt, HEADER, 17, 16, 0, strings.length, tree.length);
	return Buffer.concat([header, Buffer.alloc(16), tree, strings]);
}

function words(...values: readonly number[]): Buffer {
	const bytes = Buffer.alloc(4 * values.length);
	for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
	return bytes;
}

function padded(bytes: Buffer): Buffer {
	return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
