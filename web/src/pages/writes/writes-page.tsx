/** All writes: those that run, those that wait, what became of the others. */
import { Divider, Skeleton, Stack, Text } from "@mantine/core";
import type { Write } from "@pi-netboot/api";
import { useQuery } from "@tanstack/react-query";
import { Fragment } from "react";
import { writesQuery } from "../../api/queries.ts";
import { PageFrame } from "../../components/page-frame.tsx";
import { Panel } from "../../components/panel.tsx";
import { Problem } from "../../components/problem.tsx";
import { isOver, WriteItem } from "../../components/write-item.tsx";

export function WritesPage() {
	const { data: writes, error, refetch } = useQuery(writesQuery);
	const sorted = writes?.toSorted((a, b) => b.createdAt - a.createdAt) ?? [];
	const open = sorted.filter((write) => !isOver(write));
	const over = sorted.filter(isOver);
	return (
		<PageFrame title="Writes" lead="Images on their way to the disks of the Pis.">
			<Problem error={error} title="The writes cannot be shown" onRetry={() => void refetch()} />
			{writes === undefined && error === null && <Skeleton h={160} aria-busy="true" />}
			{writes?.length === 0 && (
				<Text c="dimmed">
					Nothing was written yet. A Pi that runs from the network has a button for it on its page.
				</Text>
			)}
			{open.length > 0 && (
				<Panel title="Now">
					<Writes writes={open} />
				</Panel>
			)}
			{over.length > 0 && (
				<Panel title="Before">
					<Writes writes={over} />
				</Panel>
			)}
		</PageFrame>
	);
}

function Writes({ writes }: { readonly writes: readonly Write[] }) {
	return (
		<Stack gap="sm">
			{writes.map((write, index) => (
				<Fragment key={write.id}>
					{index > 0 && <Divider />}
					<WriteItem write={write} />
				</Fragment>
			))}
		</Stack>
	);
}
