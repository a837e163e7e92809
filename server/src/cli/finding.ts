/** What `pi-netboot doctor` says of one subject. */

export interface Finding {
	/** `bad` keeps Pis from booting; a `note` does not. */
	readonly verdict: "good" | "note" | "bad";
	readonly subject: string;
	readonly message: string;
	/** Any one of these helps. */
	readonly commands: readonly string[];
}

export function finding(
	verdict: Finding["verdict"],
	subject: string,
	message: string,
	commands: readonly string[] = [],
): Finding {
	return { verdict, subject, message, commands };
}
