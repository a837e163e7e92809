/** The file `authorized_keys` of the data directory: whose SSH keys may log in to a Pi. See sshd(8). Pure. */

/** A line that is longer is no key; RSA keys of 16384 bits have 2800 characters. */
const MAX_LINE = 16_384;

/** Key types that sshd takes today; the blob of a key begins with the same word. */
const KEY_TYPE =
	/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)$/;

export interface AuthorizedKeys {
	/** Lines ready for an `authorized_keys` file, each once. */
	readonly keys: readonly string[];
	/** Sentences on the lines that are no keys. */
	readonly findings: readonly string[];
}

/** Takes the keys out of an `authorized_keys` file: options before a key and comments behind it are kept. */
export function parseAuthorizedKeys(text: string): AuthorizedKeys {
	const keys = new Set<string>();
	const findings: string[] = [];
	for (const [index, raw] of text.split(/\r?\n/).entries()) {
		const line = raw.trim();
		if (line === "" || line.startsWith("#")) continue;
		if (isKey(line)) keys.add(line);
		else findings.push(`authorized_keys line ${index + 1} is not a public key: left out`);
	}
	return { keys: [...keys], findings };
}

function isKey(line: string): boolean {
	if (line.length > MAX_LINE || /[\p{Cc}]/u.test(line.replaceAll("\t", ""))) return false;
	// Options may hold blanks between double quotes, so words are divided as sshd does.
	const words = line.match(/(?:"(?:\\.|[^"\\])*"|[^\s"])+/g) ?? [];
	return [0, 1].some((at) => isTypeAndBlob(words[at] ?? "", words[at + 1] ?? ""));
}

/** RFC 4253, 6.6: the blob begins with a string (a 32-bit length and the bytes) that is the type's name. */
function isTypeAndBlob(type: string, blob: string): boolean {
	if (!KEY_TYPE.test(type) || !/^[A-Za-z0-9+/]+={0,2}$/.test(blob)) return false;
	const bytes = Buffer.from(blob, "base64");
	return (
		bytes.length > 4 + type.length &&
		bytes.readUInt32BE(0) === type.length &&
		bytes.toString("latin1", 4, 4 + type.length) === type
	);
}
