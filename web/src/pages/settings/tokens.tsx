/** Tokens for programs, each with a name, each revoked by itself. */
import { Alert, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { Token } from "@pi-netboot/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask } from "../../api/client.ts";
import { tokensQuery } from "../../api/queries.ts";
import { Ago } from "../../components/ago.tsx";
import { Command } from "../../components/command.tsx";
import { Confirm } from "../../components/confirm.tsx";
import { Panel } from "../../components/panel.tsx";
import { Problem } from "../../components/problem.tsx";
import classes from "./settings.module.css";

export function Tokens() {
	const client = useQueryClient();
	const { data: tokens = [], error } = useQuery(tokensQuery);
	const [name, setName] = useState("");
	const create = useMutation({
		mutationFn: () => ask("createToken", { body: { name } }),
		onSuccess: () => {
			setName("");
			return client.invalidateQueries({ queryKey: ["tokens"] });
		},
	});
	const submit = (event: FormEvent) => {
		event.preventDefault();
		create.mutate();
	};
	return (
		<Panel
			title="Tokens for programs"
			lead="Sent as Authorization: Bearer TOKEN. The one in the data folder works besides these."
		>
			<Stack>
				<Problem error={error} title="The tokens cannot be shown" />
				{tokens.length > 0 && (
					<ul className={classes.plain}>
						{tokens.map((token) => (
							<TokenItem key={token.id} token={token} />
						))}
					</ul>
				)}
				{create.data !== undefined && (
					<Alert color="green" variant="light" title={`The token ${create.data.name}, shown this once`}>
						<Command>{create.data.token}</Command>
					</Alert>
				)}
				<form onSubmit={submit}>
					<Group gap="xs" align="flex-end">
						<TextInput
							label="A new one, for"
							placeholder="build server"
							value={name}
							onChange={({ currentTarget }) => setName(currentTarget.value)}
							flex="1 1 10rem"
						/>
						<Button type="submit" variant="default" disabled={name.trim() === ""} loading={create.isPending}>
							Make it
						</Button>
					</Group>
				</form>
				<Problem error={create.error} title="No token was made" />
			</Stack>
		</Panel>
	);
}

function TokenItem({ token }: { readonly token: Token }) {
	const client = useQueryClient();
	const [asking, { open, close }] = useDisclosure(false);
	const revoke = useMutation({
		mutationFn: () => ask("deleteToken", { params: { id: token.id } }),
		onSuccess: () => client.invalidateQueries({ queryKey: ["tokens"] }),
	});
	return (
		<li>
			<Group justify="space-between" gap="xs">
				<div>
					<Text size="sm" style={{ overflowWrap: "anywhere" }}>
						{token.name}
					</Text>
					<Text size="xs" c="dimmed">
						made <Ago at={token.createdAt} />,{" "}
						{token.lastUsedAt === null ? (
							"never used"
						) : (
							<>
								used <Ago at={token.lastUsedAt} />
							</>
						)}
					</Text>
				</div>
				<Button size="xs" variant="subtle" color="red" onClick={open} aria-label={`Revoke ${token.name}`}>
					Revoke
				</Button>
			</Group>
			<Confirm
				opened={asking}
				title={`Revoke ${token.name}?`}
				action="Revoke"
				order={revoke}
				onConfirm={() => revoke.mutate()}
				onClose={close}
			>
				The programs that use it are refused from then on. It cannot be had back.
			</Confirm>
		</li>
	);
}
