/** The way back in, once the login has ended. */
import { Anchor } from "@mantine/core";
import { Refusal } from "../api/client.ts";

export function LogInAgain() {
	return (
		<Anchor href="/" size="sm">
			Log in again
		</Anchor>
	);
}

/** Whether that is what helps. */
export function isLoginOver(error: Error | null): boolean {
	return error instanceof Refusal && error.status === 401;
}
