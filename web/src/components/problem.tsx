/** What went wrong, in the server's words. */
import { Alert, Button, Group, Text } from "@mantine/core";
import { Away, Refusal } from "../api/client.ts";
import { AlertIcon } from "./icons.tsx";

interface ProblemProps {
	readonly error: Error | null;
	/** What the person wanted. */
	readonly title?: string;
	readonly onRetry?: () => void;
}

export function Problem({ error, title = "That did not work", onRetry }: ProblemProps) {
	if (error === null) return null;
	const hint = error instanceof Refusal ? error.hint : undefined;
	const message =
		error instanceof Refusal || error instanceof Away ? error.message : `The page failed: ${error.message}`;
	return (
		<Alert color="red" variant="light" icon={<AlertIcon />} title={title} role="alert">
			<Text size="sm">{message}</Text>
			{hint !== undefined && (
				<Text size="sm" mt={4}>
					{hint}
				</Text>
			)}
			{onRetry !== undefined && (
				<Group mt="sm">
					<Button size="xs" variant="default" onClick={onRetry}>
						Try again
					</Button>
				</Group>
			)}
		</Alert>
	);
}
