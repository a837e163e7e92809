/** A change that somebody else ordered, and that is taken back unless it is confirmed. */
import { Alert, Button, Group, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ask } from "../../api/client.ts";
import { Problem } from "../../components/problem.tsx";
import { clockText } from "../../words/time.ts";

export function Unconfirmed({ until }: { readonly until: number }) {
	const client = useQueryClient();
	const confirm = useMutation({
		mutationFn: () => ask("confirmNetwork", {}),
		onSuccess: (answer) => client.setQueryData(["network"], answer),
	});
	return (
		<Alert color="yellow" variant="light" p="xs" role="status">
			<Group gap="xs" justify="space-between">
				<Text size="sm">These settings are taken back at {clockText(until)} unless they are confirmed.</Text>
				<Button variant="default" size="xs" loading={confirm.isPending} onClick={() => confirm.mutate()}>
					Keep them
				</Button>
			</Group>
			<Problem error={confirm.error} />
		</Alert>
	);
}
