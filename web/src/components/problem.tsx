/** What went wrong, in the server's words. */
import { Alert, Button, Group, Text } from "@mantine/core";
import { Away, isLoginOver, Refusal } from "../api/failures.ts";
import { AlertIcon } from "./icons.tsx";
import { LogInAgain } from "./log-in-again.tsx";

interface ProblemProps {
	readonly error: Error | null;
	/** What the person wanted. */
	readonly title?: string;
	readonly onRetry?: () => void;
}

export function Problem({ error, title = "That did not work", onRetry }: ProblemProps) {
	if (error === null) return null;
	const isOut = isLoginOver(error);
	// How a program sends its token is nothing for who has a page before him.
	const hint = error instanceof Refusal && !isOut ? error.hint : undefined;
	// That a field stands in the body of a request is for programs: a person has typed into it.
	const message =
		error instanceof Refusal || error instanceof Away ? error.message : `The page failed: ${error.message}`;
	return (
		<Alert color="red" variant="light" icon={<AlertIcon />} title={title} role="alert">
			<Text size="sm">{message.replace(/(^|; )body\.(customisation\.)?/g, "$1")}</Text>
			{hint !== undefined && (
				<Text size="sm" mt={4}>
					{hint}
				</Text>
			)}
			{isOut && <LogInAgain />}
			{onRetry !== undefined && !isOut && (
				<Group mt="sm">
					<Button size="xs" variant="default" onClick={onRetry}>
						Try again
					</Button>
				</Group>
			)}
		</Alert>
	);
}
