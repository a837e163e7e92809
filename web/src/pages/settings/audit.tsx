/** Who changed what. */
import { Anchor, Button, Group, Text } from "@mantine/core";
import type { AuditEntry } from "@pi-netboot/api";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ask } from "../../api/client.ts";
import { devicesQuery } from "../../api/queries.ts";
import { Ago } from "../../components/ago.tsx";
import { Panel } from "../../components/panel.tsx";
import { Problem } from "../../components/problem.tsx";
import classes from "./settings.module.css";

export function Audit() {
	const { data, error, hasNextPage, fetchNextPage, isFetching } = useInfiniteQuery({
		queryKey: ["audit"],
		initialPageParam: 0,
		queryFn: ({ pageParam, signal }) =>
			ask("listAudit", { query: { limit: 10, ...(pageParam > 0 && { before: pageParam }) } }, signal),
		getNextPageParam: ({ next }) => next,
	});
	const { data: devices = [] } = useQuery(devicesQuery);
	const names = new Map(devices.map(({ id, name }) => [id, name]));
	const entries = data?.pages.flatMap((page) => page.entries) ?? [];
	return (
		<Panel title="Who changed what">
			<Problem error={error} title="The list cannot be shown" />
			{data !== undefined && entries.length === 0 && <Text size="sm">Nothing yet.</Text>}
			<ul className={classes.plain}>
				{entries.map((entry) => (
					<Entry key={entry.id} entry={entry} name={names.get(entry.target ?? "")} />
				))}
			</ul>
			{hasNextPage && (
				<Button size="xs" variant="default" w="fit-content" loading={isFetching} onClick={() => void fetchNextPage()}>
					More
				</Button>
			)}
		</Panel>
	);
}

/** `changeDevice` -> `Change device` */
function wordsOf(operation: string): string {
	const words = operation.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
	return words.charAt(0).toUpperCase() + words.slice(1);
}

interface EntryProps {
	readonly entry: AuditEntry;
	/** Of the Pi that it is about. */
	readonly name: string | undefined;
}

function Entry({ entry: { at, who, address, action, target, details }, name }: EntryProps) {
	return (
		<li>
			<Group justify="space-between" gap="xs">
				<Text size="sm">
					{wordsOf(action)}{" "}
					{name === undefined ? (
						target
					) : (
						<Anchor component={Link} to={`/devices/${target}`} inherit>
							{name}
						</Anchor>
					)}
				</Text>
				<Text size="xs" c="dimmed">
					<Ago at={at} />, {who} from {address}
				</Text>
			</Group>
			{details !== "" && (
				<Text size="xs" ff="monospace" c="dimmed" style={{ overflowWrap: "anywhere" }}>
					{details}
				</Text>
			)}
		</li>
	);
}
