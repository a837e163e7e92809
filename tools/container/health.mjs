/** Asks the server of this container whether it is there; for the health check of the image. */
const port = process.env.HTTP_PORT || "38434";
const given = process.env.HTTP_HOST || "0.0.0.0";
const host = { "0.0.0.0": "127.0.0.1", "::": "[::1]" }[given] ?? (given.includes(":") ? `[${given}]` : given);

try {
	const answer = await fetch(`http://${host}:${port}/api/v1/health`, { signal: AbortSignal.timeout(4000) });
	const { status } = await answer.json();
	console.log(status);
	process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
	console.error(`no answer on port ${port}: ${error instanceof Error ? error.message : error}`);
	process.exitCode = 1;
}
