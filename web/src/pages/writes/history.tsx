/** What became of the writes that are over: with hundreds of them, a page at a time. */
import { Button, Chip, Group, Stack, Text, TextInput } from "@mantine/core";
import type { Write } from "@pi-netboot/api";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { LAST_WRITES, olderWritesQuery } from "../../api/queries.ts";
import { SearchIcon } from "../../components/icons.tsx";
import { Panel } from "../../components/panel.tsx";
import { Problem } from "../../components/problem.tsx";
import { WriteList } from "../../components/write-list.tsx";
import { writeStages } from "../../components/write-stages.ts";
import { isWanted, together, type WriteFilter, whereOlderBegin } from "../../words/writes.ts";

const ALL: WriteFilter = { text: "", stage: "all" };

/** So few are seen at a glance. */
const FEW = 5;

/** @param writes those that are over and that live events keep fresh, the newest first. */
export function History({ writes }: { readonly writes: readonly Write[] }) {
	const [filter, setFilter] = useState(ALL);
	const [last, setLast] = useState<string>();
	const from = whereOlderBegin(writes, last);
	const older = useInfiniteQuery(olderWritesQuery(from));
	const all = together(older.data?.pages.flatMap((page) => page.writes) ?? [], writes);
	const shown = all.filter((write) => isWanted(write, filter));
	const isAll = filter.text === "" && filter.stage === "all";
	const hasMore = older.data === undefined ? writes.length >= LAST_WRITES : older.hasNextPage;
	const showMore = () => {
		// What comes to its end meanwhile does not move the place where the older ones begin.
		setLast(from);
		void older.fetchNextPage();
	};
	if (all.length === 0) return null;
	return (
		<Panel title="Before">
			<Stack>
				{all.length > FEW && <Filter all={all} filter={filter} onFilter={setFilter} count={shown.length} />}
				<WriteList writes={shown} />
				<Problem error={older.error} title="Older writes cannot be shown" />
				{hasMore && (
					<Button variant="default" size="xs" w="fit-content" loading={older.isFetching} onClick={showMore}>
						{isAll ? "Show older ones" : "Look through older ones, too"}
					</Button>
				)}
			</Stack>
		</Panel>
	);
}

interface FilterProps {
	readonly all: readonly Write[];
	readonly filter: WriteFilter;
	readonly onFilter: (filter: WriteFilter) => void;
	/** How many are shown. */
	readonly count: number;
}

function Filter({ all, filter, onFilter, count }: FilterProps) {
	return (
		<Group gap="sm">
			<TextInput
				type="search"
				aria-label="Search the writes"
				placeholder="Pi, image, disk, serial number"
				leftSection={<SearchIcon size={16} />}
				value={filter.text}
				onChange={({ currentTarget }) => onFilter({ ...filter, text: currentTarget.value })}
				flex="1 1 14rem"
				maw="26rem"
			/>
			<Group gap={6}>
				{(["complete", "failed", "cancelled"] as const).map((stage) => (
					<Chip
						key={stage}
						size="xs"
						checked={filter.stage === stage}
						onChange={(checked) => onFilter({ ...filter, stage: checked ? stage : "all" })}
					>
						{writeStages[stage].word} {all.filter((write) => write.stage === stage).length}
					</Chip>
				))}
			</Group>
			<Text size="sm" c="dimmed" role="status">
				{count === all.length ? "" : `${count} of ${all.length} shown`}
			</Text>
		</Group>
	);
}
