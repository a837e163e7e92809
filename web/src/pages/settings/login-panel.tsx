/** How people come in: links, a password, and out again. */
import { Button, Group, PasswordInput, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask } from "../../api/client.ts";
import { sessionQuery } from "../../api/queries.ts";
import { Command } from "../../components/command.tsx";
import { Panel } from "../../components/panel.tsx";
import { Problem } from "../../components/problem.tsx";

export function LoginPanel() {
	const { data: session } = useQuery(sessionQuery);
	const link = useMutation({ mutationFn: () => ask("createLoginCode", {}) });
	const out = useMutation({
		mutationFn: (everywhere: boolean) => (everywhere ? ask("endSessions", {}) : ask("logout", {})),
		onSuccess: (_, everywhere) => !everywhere && window.location.assign("/"),
	});
	if (session?.who === "everybody") {
		return (
			<Panel title="Login">
				<Text size="sm">Nobody has to log in: the server was started with --auth off.</Text>
			</Panel>
		);
	}
	return (
		<Panel title="Login">
			<Stack>
				<Stack gap="xs">
					<Text size="sm">For another browser or your phone: a link that works once, within 15 minutes.</Text>
					{link.data !== undefined && <Command>{`${window.location.origin}/?code=${link.data.code}`}</Command>}
					<Button variant="default" w="fit-content" loading={link.isPending} onClick={() => link.mutate()}>
						Make a link
					</Button>
				</Stack>
				<PasswordForm isSet={session?.passwordSet === true} />
				<Problem error={link.error ?? out.error} />
				<Group gap="xs">
					<Button variant="default" onClick={() => out.mutate(false)} loading={out.isPending}>
						Log out
					</Button>
					<Button variant="default" onClick={() => out.mutate(true)}>
						Log out all other browsers
					</Button>
					<Text size="sm" role="status">
						{out.isSuccess && out.variables && "They are out."}
					</Text>
				</Group>
			</Stack>
		</Panel>
	);
}

function PasswordForm({ isSet }: { readonly isSet: boolean }) {
	const client = useQueryClient();
	const [password, setPassword] = useState("");
	const change = useMutation({
		mutationFn: (wanted: string | null) => ask("setPassword", { body: { password: wanted } }),
		onSuccess: () => {
			setPassword("");
			return client.invalidateQueries({ queryKey: ["session"] });
		},
	});
	const submit = (event: FormEvent) => {
		event.preventDefault();
		change.mutate(password);
	};
	return (
		<form onSubmit={submit}>
			<Group align="flex-end" gap="xs">
				<PasswordInput
					label={isSet ? "Another password" : "A password, to log in without a link"}
					description={isSet ? "One is set. A new one ends all other sessions." : "At least 8 characters"}
					value={password}
					onChange={({ currentTarget }) => setPassword(currentTarget.value)}
					autoComplete="new-password"
					flex="1 1 14rem"
				/>
				<Button type="submit" variant="default" disabled={password === ""} loading={change.isPending}>
					Set
				</Button>
				{isSet && (
					<Button variant="default" onClick={() => change.mutate(null)}>
						Take it away
					</Button>
				)}
			</Group>
			<Text size="sm" role="status">
				{change.isSuccess && (change.variables === null ? "There is none any more." : "It is set.")}
			</Text>
			<Problem error={change.error} title="The password stays" />
		</form>
	);
}
