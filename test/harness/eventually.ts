/** Waiting for what another program does. */

/** Asks again and again until the answer is something; for at most so many milliseconds. @throws Error with what was waited for. */
export async function eventually<T>(
	what: string,
	ask: () => T | undefined | Promise<T | undefined>,
	milliseconds = 20_000,
): Promise<T> {
	const deadline = Date.now() + milliseconds;
	for (;;) {
		const answer = await ask();
		if (answer !== undefined) return answer;
		if (Date.now() > deadline) throw new Error(`${milliseconds} ms passed, waiting for ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
}
