/**
 * What all attackers have in common. Each is a program on a host of the lab: `PROGRAM SERVER WORD...`. It prints `under way`
 * when its attack has its full weight, goes on until it gets SIGTERM, and then prints what it did as a line of JSON.
 */
export const [server = "", ...words] = process.argv.slice(2);

const counts: Record<string, number> = {};

/** Notes that something was done, or came back. */
export function count(what: string, times = 1): void {
	counts[what] = (counts[what] ?? 0) + times;
}

export function counted(what: string): number {
	return counts[what] ?? 0;
}

export function underWay(): void {
	process.stdout.write("under way\n");
}

let isOver = false;

/** True from the signal on. */
export function over(): boolean {
	return isOver;
}

process.once("SIGTERM", () => {
	isOver = true;
	process.stdout.write(`${JSON.stringify(counts)}\n`, () => process.exit(0));
});

export function pause(milliseconds: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

let state = 0x2545f491;

/** Numbers that look random and are the same in each run. @returns 0 to `below` - 1 */
export function random(below: number): number {
	state ^= state << 13;
	state ^= state >>> 17;
	state ^= state << 5;
	return (state >>> 0) % below;
}

export function randomBytes(length: number): Buffer {
	const bytes = Buffer.alloc(length);
	for (let at = 0; at < length; at++) bytes[at] = random(256);
	return bytes;
}

/** The n-th address of the attacker; how many it has, and which is the first, is up to the test. */
export function ownAddress(n: number): string {
	return `10.77.0.${Number(process.env.FIRST_ADDRESS) + n}`;
}
