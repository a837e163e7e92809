/** Who changed what. */
import { Button, Text } from "@mantine/core";
import type { AuditEntry } from "@pi-netboot/api";
import { useInfiniteQuery } from "@tanstack/react-query";
import { ask } from "../../api/client.ts";
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
	const entries = data?.pages.flatMap((page) => page.entries) ?? [];
	return (
		<Panel title="Who changed what">
			<Problem error={error} title="The list cannot be shown" />
			{data !== undefined && entries.length === 0 && <Text size="sm">Nothing yet.</Text>}
			<ul className={classes.plain}>
				{entries.map((entry) => (
					<Entry key={entry.id} entry={entry} />
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

/** `changeDevice` -> `change device` */
const wordsOf = (operation: string): string => operation.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function Entry({ entry: { at, who, address, action, target, details } }: { readonly entry: AuditEntry }) {
	return (
		<li>
			<Text size="sm">
				{wordsOf(action)} {target}
			</Text>
			{details !== "" && (
				<Text size="xs" ff="monospace" style={{ overflowWrap: "anywhere" }}>
					{details}
				</Text>
			)}
			<Text size="xs" c="dimmed">
				<Ago at={at} />, {who} from {address}
			</Text>
		</li>
	);
}
