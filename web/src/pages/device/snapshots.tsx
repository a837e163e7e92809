/** Roots of the Pi that were kept under names. */
import { Button, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import type { Device, DeviceRoot, Snapshot } from "@pi-netboot/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask } from "../../api/client.ts";
import { imagesQuery } from "../../api/queries.ts";
import { Ago } from "../../components/ago.tsx";
import { Confirm } from "../../components/confirm.tsx";
import { Problem } from "../../components/problem.tsx";
import { bytesText } from "../../words/bytes.ts";
import { whyNoSnapshot, whyNotBack } from "../../words/roots.ts";
import classes from "./device.module.css";

interface SnapshotsProps {
	readonly device: Device;
	readonly root: DeviceRoot;
}

export function Snapshots({ device, root }: SnapshotsProps) {
	const { snapshots } = root;
	const client = useQueryClient();
	const [name, setName] = useState("");
	const take = useMutation({
		mutationFn: () => ask("createSnapshot", { params: { id: device.id }, body: { name } }),
		onSuccess: () => {
			setName("");
			return client.invalidateQueries({ queryKey: ["root", device.id] });
		},
	});
	const submit = (event: FormEvent) => {
		event.preventDefault();
		take.mutate();
	};
	const whyNot = whyNoSnapshot(device, root);
	return (
		<Stack gap="xs">
			<Title order={3} size="sm">
				Snapshots
			</Title>
			{snapshots.length > 0 && (
				<ul className={classes.plain}>
					{snapshots.map((snapshot) => (
						<SnapshotItem key={snapshot.name} device={device} snapshot={snapshot} />
					))}
				</ul>
			)}
			{whyNot === undefined ? (
				<form onSubmit={submit}>
					<Group gap="xs" align="flex-end">
						<TextInput
							size="xs"
							label="Keep the root as it is now, as"
							placeholder="before-upgrade"
							value={name}
							onChange={({ currentTarget }) => setName(currentTarget.value)}
							flex="1 1 10rem"
						/>
						<Button size="xs" variant="default" type="submit" disabled={name === ""} loading={take.isPending}>
							Take
						</Button>
					</Group>
				</form>
			) : (
				<Text size="sm" c="dimmed">
					{whyNot}
				</Text>
			)}
			<Problem error={take.error} title="No snapshot was taken" />
		</Stack>
	);
}

function SnapshotItem({ device, snapshot }: { readonly device: Device; readonly snapshot: Snapshot }) {
	const client = useQueryClient();
	const { data: images = [] } = useQuery(imagesQuery);
	const whyNot = whyNotBack(device, snapshot, images);
	const params = { id: device.id, name: snapshot.name };
	const [asking, setAsking] = useState<"restore" | "delete">();
	const act = useMutation({
		mutationFn: async (what: "restore" | "delete") => {
			if (what === "restore") await ask("restoreSnapshot", { params });
			else await ask("deleteSnapshot", { params });
		},
		onSuccess: () => {
			setAsking(undefined);
			return client.invalidateQueries({ queryKey: ["root", device.id] });
		},
	});
	const isDelete = asking === "delete";
	return (
		<li>
			<Group justify="space-between" gap="xs">
				<div>
					<Text size="sm" style={{ overflowWrap: "anywhere" }}>
						{snapshot.name}
					</Text>
					<Text size="xs" c="dimmed">
						{bytesText(snapshot.bytes)}, <Ago at={snapshot.createdAt} />
					</Text>
					{whyNot !== undefined && <Text size="xs">{whyNot}</Text>}
					<Text size="xs" role="status">
						{act.isSuccess && act.variables === "restore" && "The next boot begins with it."}
					</Text>
				</div>
				<Group gap={6}>
					{whyNot === undefined && (
						<Button
							size="xs"
							variant="default"
							aria-label={`Bring back ${snapshot.name}`}
							onClick={() => setAsking("restore")}
						>
							Bring back
						</Button>
					)}
					<Button
						size="xs"
						variant="subtle"
						color="red"
						aria-label={`Delete ${snapshot.name}`}
						onClick={() => setAsking("delete")}
					>
						Delete
					</Button>
				</Group>
			</Group>
			<Confirm
				opened={asking !== undefined}
				title={isDelete ? `Delete the snapshot ${snapshot.name}?` : `Bring back ${snapshot.name}?`}
				action={isDelete ? "Delete" : "Bring it back"}
				order={act}
				onConfirm={() => asking && act.mutate(asking)}
				onClose={() => setAsking(undefined)}
			>
				{isDelete
					? "It cannot be had back."
					: "The root as it is now is dropped at the next boot, which begins with the snapshot."}
			</Confirm>
		</li>
	);
}
