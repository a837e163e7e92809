/**
 * `overlays/overlay_map.dtb`: which overlay a name stands for on which chip. A flattened device tree (Devicetree Specification,
 * chapter 5), as `vc4-kms-v3d { bcm2711 = "vc4-kms-v3d-pi4"; };`
 */
import { ProtocolError } from "./errors.ts";

const MAGIC = 0xd00dfeed;
const Token = { BEGIN_NODE: 1, END_NODE: 2, PROP: 3, NOP: 4, END: 9 } as const;

/**
 * @param chip `bcm2711`
 * @returns what to load for a name; names that mean themselves are left out.
 * @throws ProtocolError when it is no device tree.
 */
export function overlayNames(map: Buffer, chip: string): Map<string, string> {
	if (map.length < 40 || map.readUInt32BE(0) !== MAGIC) throw new ProtocolError("overlay_map.dtb: not a device tree");
	const names = new Map<string, string>();
	const path: string[] = [];
	for (const { token, name, value } of tokens(map)) {
		if (token === Token.BEGIN_NODE) path.push(name);
		else if (token === Token.END_NODE) path.pop();
		else if (path.length === 2 && (name === chip || name === "renamed")) {
			// Without a value the overlay stands for itself.
			const target = value.length === 0 ? "" : textAt(value, 0);
			if (target !== "") names.set(path[1] ?? "", target);
		}
	}
	return names;
}

interface Item {
	readonly token: number;
	readonly name: string;
	readonly value: Buffer;
}

function* tokens(map: Buffer): Generator<Item> {
	const strings = map.subarray(map.readUInt32BE(12));
	const nothing = Buffer.alloc(0);
	for (let at = map.readUInt32BE(8); at + 4 <= map.length; ) {
		const token = map.readUInt32BE(at);
		at += 4;
		if (token === Token.END) return;
		if (token === Token.BEGIN_NODE) {
			const name = textAt(map, at);
			yield { token, name, value: nothing };
			at = align(at + name.length + 1);
		} else if (token === Token.END_NODE) {
			yield { token, name: "", value: nothing };
		} else if (token === Token.PROP) {
			if (at + 8 > map.length) break;
			const length = map.readUInt32BE(at);
			if (at + 8 + length > map.length) break;
			yield { token, name: textAt(strings, map.readUInt32BE(at + 4)), value: map.subarray(at + 8, at + 8 + length) };
			at = align(at + 8 + length);
		} else if (token !== Token.NOP) {
			throw new ProtocolError(`overlay_map.dtb: token ${token} at byte ${at - 4}`);
		}
	}
	throw new ProtocolError("overlay_map.dtb: cut off");
}

function align(offset: number): number {
	return (offset + 3) & ~3;
}

function textAt(bytes: Buffer, start: number): string {
	const end = bytes.indexOf(0, start);
	if (start > bytes.length || end < 0) throw new ProtocolError("overlay_map.dtb: a text without an end");
	return bytes.toString("latin1", start, end);
}
