/** All writes: those that run, those that wait, what became of the others. */
import { Button, Group, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import type { Write } from "@pi-netboot/api";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { writesQuery } from "../../api/queries.ts";
import { PageFrame } from "../../components/page-frame.tsx";
import { Panel } from "../../components/panel.tsx";
import { Problem } from "../../components/problem.tsx";
import { WriteList } from "../../components/write-list.tsx";
import { isOver } from "../../words/writes.ts";
import { History } from "./history.tsx";

export function WritesPage() {
	const { data: writes, error, refetch } = useQuery(writesQuery);
	const open = writes?.filter((write) => !isOver(write)) ?? [];
	const running = open.filter(({ waiting }) => waiting === undefined);
	// Whoever came first is served first.
	const queue = open.filter(({ waiting }) => waiting !== undefined).toSorted((a, b) => a.createdAt - b.createdAt);
	return (
		<PageFrame title="Writes" lead={leadOf(running.length, queue.length)}>
			<Problem error={error} title="The writes cannot be shown" onRetry={() => void refetch()} />
			{writes === undefined && error === null && <Skeleton h={160} aria-busy="true" />}
			{writes?.length === 0 && <NoWrites />}
			<Box title="Now" writes={running} />
			<Box title="Waiting" writes={queue} />
			{writes !== undefined && writes.length > 0 && <History writes={writes.filter(isOver)} />}
		</PageFrame>
	);
}

function leadOf(running: number, waiting: number): string {
	if (running + waiting === 0) return "Images on their way to the disks of the Pis.";
	const parts = [running > 0 && `${running} running`, waiting > 0 && `${waiting} waiting`];
	return parts.filter(Boolean).join(", ");
}

function Box({ title, writes }: { readonly title: string; readonly writes: readonly Write[] }) {
	if (writes.length === 0) return null;
	return (
		<Panel title={title}>
			<WriteList writes={writes} />
		</Panel>
	);
}

function NoWrites() {
	return (
		<Paper withBorder p="xl" ta="center">
			<Stack align="center" gap="xs">
				<Title order={2} size="h3">
					Nothing was written yet
				</Title>
				<Text c="dimmed" maw="34rem">
					A Pi that runs from the network can have an image put on its SD card, SSD or NVMe drive. "Write to disk" is on
					its page, and below the list of all Pis where several are selected.
				</Text>
				<Group mt="sm">
					<Button component={Link} to="/devices">
						Choose a Pi
					</Button>
				</Group>
			</Stack>
		</Paper>
	);
}
