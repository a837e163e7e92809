/** Mode, interface, address and range. A change holds at once, without a restart, and can be taken back. */
import { Alert, Button, Checkbox, Group, Radio, Select, Stack, Text, TextInput } from "@mantine/core";
import type { DhcpMode, Network, NetworkChanges } from "@pi-netboot/api";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Fields } from "../../components/fields.tsx";
import { Panel } from "../../components/panel.tsx";
import { Problem } from "../../components/problem.tsx";
import { useDraft } from "../../hooks/use-draft.ts";
import { changeNetwork } from "./change-network.ts";
import { changesOf, type Draft, draftOf, undoOf } from "./settings-draft.ts";
import { Unconfirmed } from "./unconfirmed.tsx";

const modes: readonly { readonly value: DhcpMode; readonly label: string; readonly description: string }[] = [
	{
		value: "proxy",
		label: "Beside the router",
		description:
			"The router gives the addresses, this server tells the Pis where to boot from. Right for most networks.",
	},
	{
		value: "full",
		label: "This server gives the addresses",
		description: "For a network of its own without a router, or one whose DHCP server is switched off.",
	},
	{ value: "off", label: "Off", description: "Another DHCP server points the Pis here; nothing is answered." },
];

interface Order {
	readonly wanted: NetworkChanges;
	/** What the fields showed, where it comes from them. */
	readonly typed?: Draft;
	/** What takes it back. */
	readonly back?: NetworkChanges;
}

export function SettingsForm({ network }: { readonly network: Network }) {
	const client = useQueryClient();
	const { shown, set, discard, saved, overtaken } = useDraft(draftOf(network));
	const [undo, setUndo] = useState<NetworkChanges>();
	const changes = changesOf(network, shown);
	const change = useMutation({
		mutationFn: ({ wanted }: Order) => changeNetwork(wanted),
		onSuccess: (answer, { typed, back }) => {
			client.setQueryData(["network"], answer);
			if (typed !== undefined) saved(typed);
			setUndo(back);
		},
	});
	const submit = (event: FormEvent) => {
		event.preventDefault();
		change.mutate({ wanted: changes, typed: shown, back: undoOf(network, changes) });
	};
	const isChanged = Object.keys(changes).length > 0;
	return (
		<Panel
			title="How Pis find this server"
			lead="Changes hold at once, without a restart. One that cuts this page off from the server is taken back by itself."
		>
			<form onSubmit={submit}>
				<Stack gap="md">
					{network.notes.map((note) => (
						<Alert key={note} color="yellow" variant="light" p="xs">
							{note}
						</Alert>
					))}
					{network.unconfirmedUntil !== null && !change.isPending && <Unconfirmed until={network.unconfirmedUntil} />}
					<Radio.Group label="DHCP" value={shown.mode} onChange={(mode) => set({ mode: mode as DhcpMode })}>
						<Stack gap="xs" mt="xs">
							{modes.map((mode) => (
								<Radio key={mode.value} {...mode} />
							))}
						</Stack>
					</Radio.Group>
					<Fields>
						<Select
							label="Interface"
							placeholder="Found by itself"
							data={network.interfaces.filter(({ kind }) => kind !== "loopback").map(({ name }) => name)}
							value={shown.interface}
							clearable
							onChange={(name) => set({ interface: name })}
						/>
						<TextInput
							label="Address that Pis are told"
							placeholder="The interface's own"
							value={shown.serverIp}
							onChange={({ currentTarget }) => set({ serverIp: currentTarget.value })}
						/>
					</Fields>
					{shown.mode === "full" && <FullModeFields draft={shown} onChange={set} />}
					<Problem error={change.error} title="Nothing was changed" />
					<Group gap="xs">
						<Button type="submit" disabled={!isChanged} loading={change.isPending}>
							Apply
						</Button>
						{isChanged && (
							<Button variant="default" onClick={discard}>
								Discard
							</Button>
						)}
						{overtaken.length > 0 && (
							<Text size="sm" role="status">
								These settings were changed elsewhere meanwhile. To apply yours replaces that.
							</Text>
						)}
						{undo !== undefined && !isChanged && (
							<Group gap="xs" role="status">
								<Text size="sm">It holds now.</Text>
								<Button
									variant="default"
									size="xs"
									onClick={() => change.mutate({ wanted: undo })}
									loading={change.isPending}
								>
									Undo
								</Button>
							</Group>
						)}
					</Group>
				</Stack>
			</form>
		</Panel>
	);
}

interface FieldsProps {
	readonly draft: Draft;
	readonly onChange: (part: Partial<Draft>) => void;
}

function FullModeFields({ draft, onChange }: FieldsProps) {
	return (
		<Stack gap="md">
			<Fields>
				<TextInput
					label="First address"
					placeholder=".100 of the subnet"
					value={draft.start}
					onChange={({ currentTarget }) => onChange({ start: currentTarget.value })}
				/>
				<TextInput
					label="Last address"
					placeholder=".200 of the subnet"
					value={draft.end}
					onChange={({ currentTarget }) => onChange({ end: currentTarget.value })}
				/>
			</Fields>
			<Checkbox
				label="Give addresses to other machines, too"
				description="Otherwise Raspberry Pis alone get one."
				checked={draft.serveEverybody}
				onChange={({ currentTarget }) => onChange({ serveEverybody: currentTarget.checked })}
			/>
			<Checkbox
				label="Even where another DHCP server answers"
				description="Two of them in one network give machines addresses that collide."
				checked={draft.insist}
				onChange={({ currentTarget }) => onChange({ insist: currentTarget.checked })}
			/>
		</Stack>
	);
}
