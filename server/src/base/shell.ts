/** A text as one word of a shell: names come from anywhere, and a person copies the command. */
export function shellQuote(text: string): string {
	return /^[\w@%+=:,./][\w@%+=:,./-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
