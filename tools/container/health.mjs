/** Asks the server of this container whether it is there; for the health check of the image. */
const port = process.env.HTTP_PORT || "38434";

try {
	const answer = await fetch(`http://127.0.0.1:${port}/api/v1/health`, { signal: AbortSignal.timeout(4000) });
	const { status } = await answer.json();
	console.log(status);
	process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
	console.error(`no answer on port ${port}: ${error instanceof Error ? error.message : error}`);
	process.exitCode = 1;
}
