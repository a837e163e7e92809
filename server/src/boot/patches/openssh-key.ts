/**
 * Host keys as sshd reads them. The private form is OpenSSH's own (PROTOCOL.key), the public one is of RFC 4253, 6.6.
 *
 *     "openssh-key-v1" 0
 *     string ciphername = "none", string kdfname = "none", string kdfoptions = ""
 *     uint32 number of keys = 1
 *     string public key
 *     string of: uint32 checkint, uint32 checkint, private key, string comment, padding 1 2 3 ... to a multiple of 8
 */
import { createHash, createPrivateKey } from "node:crypto";
import { ByteWriter, UnsupportedError } from "../../base/index.ts";

export interface OpenSshKey {
	/** As in the name of its file: `ssh_host_TYPE_key`. */
	readonly type: "ed25519" | "ecdsa" | "rsa";
	/** The content of `ssh_host_TYPE_key`. */
	readonly privateKey: string;
	/** The content of `ssh_host_TYPE_key.pub`. */
	readonly publicKey: string;
	/** The content of `dropbear_TYPE_host_key`: Dropbear has a form of its own, which is the fields and nothing else. */
	readonly dropbearKey: Buffer;
}

/** RFC 7517 and 7518: the numbers of a key by their names, in base64url. */
type JsonWebKey = Readonly<Partial<Record<"kty" | "crv" | "x" | "y" | "d" | "n" | "e" | "p" | "q" | "qi", string>>>;

/** The fields of a key in the order of the two forms. */
interface KeyFields {
	readonly type: OpenSshKey["type"];
	readonly publicFields: readonly Buffer[];
	readonly privateFields: readonly Buffer[];
	readonly dropbearFields: readonly Buffer[];
}

/**
 * Writes a private key in OpenSSH's form. The same key always gives the same text.
 *
 * @param pem PKCS #8.
 * @param comment ASCII; stands behind the public key.
 * @throws UnsupportedError for a key of another kind than Ed25519, ECDSA on a NIST curve, or RSA.
 */
export function openSshKey(pem: string, comment: string): OpenSshKey {
	const { type, publicFields, privateFields, dropbearFields } = keyFields(
		createPrivateKey(pem).export({ format: "jwk" }),
	);
	const publicBlob = strings(publicFields);
	const name = publicFields[0]?.toString("latin1") ?? "";
	return {
		type,
		privateKey: armour(privateBlob(publicBlob, strings(privateFields), comment)),
		publicKey: `${name} ${publicBlob.toString("base64")} ${comment}\n`,
		dropbearKey: strings(dropbearFields),
	};
}

function keyFields(jwk: JsonWebKey): KeyFields {
	if (jwk.kty === "OKP" && jwk.crv === "Ed25519") return ed25519Fields(jwk);
	const curve = /^P-(256|384|521)$/.exec(jwk.crv ?? "")?.[1];
	if (jwk.kty === "EC" && curve !== undefined) return ecdsaFields(jwk, `nistp${curve}`);
	if (jwk.kty === "RSA") return rsaFields(jwk);
	const got = `${jwk.kty} ${jwk.crv ?? ""}`.trim();
	throw new UnsupportedError("ssh-key", `ssh host key: got ${got}, expected Ed25519, a NIST curve or RSA`);
}

/** RFC 8709; the private field is the seed and the public key in one. */
function ed25519Fields(jwk: JsonWebKey): KeyFields {
	const name = Buffer.from("ssh-ed25519");
	const key = field(jwk.x);
	const pair = Buffer.concat([field(jwk.d), key]);
	return { type: "ed25519", publicFields: [name, key], privateFields: [name, key, pair], dropbearFields: [name, pair] };
}

/** RFC 5656, 3.1: the point in uncompressed form, 4 and both coordinates. */
function ecdsaFields(jwk: JsonWebKey, curve: string): KeyFields {
	const point = Buffer.concat([Buffer.from([4]), field(jwk.x), field(jwk.y)]);
	const publicFields = [Buffer.from(`ecdsa-sha2-${curve}`), Buffer.from(curve), point];
	const privateFields = [...publicFields, mpint(field(jwk.d))];
	return { type: "ecdsa", publicFields, privateFields, dropbearFields: privateFields };
}

/** RFC 4253, 6.6 has e before n; the private form has n before e, and then d, iqmp, p, q. */
function rsaFields(jwk: JsonWebKey): KeyFields {
	const name = Buffer.from("ssh-rsa");
	const number = (value: string | undefined) => mpint(field(value));
	return {
		type: "rsa",
		publicFields: [name, number(jwk.e), number(jwk.n)],
		privateFields: [name, ...[jwk.n, jwk.e, jwk.d, jwk.qi, jwk.p, jwk.q].map(number)],
		dropbearFields: [name, ...[jwk.e, jwk.n, jwk.d, jwk.p, jwk.q].map(number)],
	};
}

function field(value: string | undefined): Buffer {
	return Buffer.from(value ?? "", "base64url");
}

/** RFC 4251, 5: without leading zeros, but with one where the first bit would read as a sign. */
function mpint(bytes: Buffer): Buffer {
	const start = bytes.findIndex((byte) => byte !== 0);
	const number = start === -1 ? Buffer.alloc(0) : bytes.subarray(start);
	return (number[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), number]) : number;
}

/** RFC 4251, 5: each a length of 32 bits and the bytes. */
function strings(fields: readonly Buffer[]): Buffer {
	const writer = new ByteWriter();
	for (const bytes of fields) writer.u32(bytes.length).bytes(bytes);
	return writer.finish();
}

function privateBlob(publicBlob: Buffer, privateFields: Buffer, comment: string): Buffer {
	// It tells a right passphrase from a wrong one, and means nothing in a key without; random elsewhere, fixed here.
	const checkint = createHash("sha256").update(privateFields).digest().readUInt32BE(0);
	const secret = new ByteWriter()
		.u32(checkint)
		.u32(checkint)
		.bytes(privateFields)
		.bytes(strings([Buffer.from(comment)]));
	for (let padding = 1; secret.length % 8 !== 0; padding += 1) secret.u8(padding);
	return new ByteWriter()
		.bytes(Buffer.from("openssh-key-v1\0"))
		.bytes(strings([Buffer.from("none"), Buffer.from("none"), Buffer.alloc(0)]))
		.u32(1)
		.bytes(strings([publicBlob, secret.finish()]))
		.finish();
}

function armour(blob: Buffer): string {
	const lines = blob.toString("base64").match(/.{1,70}/g) ?? [];
	return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n");
}
