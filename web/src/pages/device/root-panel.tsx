/** The Pi's own root: what it changed of the image, kept under names, dropped, brought back. */
import { Button, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { Device, RootChange, Snapshot } from "@pi-netboot/api";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask } from "../../api/client.ts";
import { rootQuery } from "../../api/queries.ts";
import { Ago } from "../../components/ago.tsx";
import { Confirm } from "../../components/confirm.tsx";
import { Fact, Facts } from "../../components/facts.tsx";
import { Panel } from "../../components/panel.tsx";
import { Problem } from "../../components/problem.tsx";
import { bytesText } from "../../words/bytes.ts";
import { rootModes } from "../../words/stages.ts";
import classes from "./device.module.css";

export function RootPanel({ device }: { readonly device: Device }) {
	const { data: root, error, refetch } = useQuery(rootQuery(device.id));
	const [isOpen, { toggle }] = useDisclosure(false);
	return (
		<Panel title="Root" lead={rootModes[device.rootMode].meaning}>
			<Stack>
				<Problem error={error} title="The root cannot be shown" onRetry={() => void refetch()} />
				<Facts>
					<Fact name="On the server's disk">{bytesText(root?.bytes ?? device.rootBytes)}</Fact>
					<Fact name="At most">{root?.quotaBytes ? bytesText(root.quotaBytes) : "No limit"}</Fact>
				</Facts>
				<Group gap="xs">
					<Button size="xs" variant="default" onClick={toggle} aria-expanded={isOpen}>
						{isOpen ? "Hide the changes" : "Show the changes"}
					</Button>
					<ResetButton device={device} />
				</Group>
				{isOpen && <Changes id={device.id} />}
				<Snapshots device={device} snapshots={root?.snapshots ?? []} />
			</Stack>
		</Panel>
	);
}

function ResetButton({ device }: { readonly device: Device }) {
	const [asking, { open, close }] = useDisclosure(false);
	const reset = useMutation({
		mutationFn: () => ask("resetRoot", { params: { id: device.id } }),
		onSuccess: close,
	});
	return (
		<>
			<Button size="xs" variant="default" onClick={open}>
				Reset
			</Button>
			<Text size="sm" role="status">
				{reset.isSuccess && "It is dropped at the next boot."}
			</Text>
			<Confirm
				opened={asking}
				title={`Reset the root of ${device.name}?`}
				action="Reset at the next boot"
				order={reset}
				onConfirm={() => reset.mutate()}
				onClose={close}
			>
				What the Pi changed of its image is dropped when it boots the next time. Snapshots stay.
			</Confirm>
		</>
	);
}

const kinds: Readonly<Record<RootChange["kind"], string>> = { added: "+", changed: "~", removed: "-" };

function Changes({ id }: { readonly id: string }) {
	const { data, error, hasNextPage, fetchNextPage, isFetching } = useInfiniteQuery({
		queryKey: ["changes", id],
		initialPageParam: "",
		queryFn: ({ pageParam, signal }) =>
			ask("listRootChanges", { params: { id }, query: pageParam === "" ? {} : { after: pageParam } }, signal),
		getNextPageParam: ({ next }) => next,
	});
	const pages = data?.pages ?? [];
	const first = pages[0];
	if (error !== null) return <Problem error={error} title="The changes cannot be shown" />;
	if (first === undefined) return <Text size="sm">Comparing with the image…</Text>;
	return (
		<Stack gap="xs">
			<Text size="sm">
				{first.total === 0 ? "Nothing was changed." : `${first.total} changes, ${bytesText(first.bytes)}`}
			</Text>
			{first.total > 0 && (
				<ul className={classes.paths} aria-label="Changes">
					{pages
						.flatMap(({ changes }) => changes)
						.map(({ path, kind, bytes, type }) => (
							<li key={path}>
								<span role="img" aria-label={kind}>
									{kinds[kind]}
								</span>{" "}
								{path} {type === "file" && <span className={classes.quiet}>{bytesText(bytes)}</span>}
							</li>
						))}
				</ul>
			)}
			{hasNextPage && (
				<Button size="xs" variant="default" w="fit-content" loading={isFetching} onClick={() => void fetchNextPage()}>
					More
				</Button>
			)}
		</Stack>
	);
}

interface SnapshotsProps {
	readonly device: Device;
	readonly snapshots: readonly Snapshot[];
}

function Snapshots({ device, snapshots }: SnapshotsProps) {
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
			<Problem error={take.error} title="No snapshot was taken" />
		</Stack>
	);
}

function SnapshotItem({ device, snapshot }: { readonly device: Device; readonly snapshot: Snapshot }) {
	const client = useQueryClient();
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
				</div>
				<Group gap={6}>
					<Button
						size="xs"
						variant="default"
						aria-label={`Bring back ${snapshot.name}`}
						onClick={() => setAsking("restore")}
					>
						Bring back
					</Button>
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
