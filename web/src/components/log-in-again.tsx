/** The way back in, once the login has ended. */
import { Anchor } from "@mantine/core";

export function LogInAgain() {
	return (
		// This very address, loaded anew: the login leads back to it.
		<Anchor href="" size="sm">
			Log in again
		</Anchor>
	);
}
