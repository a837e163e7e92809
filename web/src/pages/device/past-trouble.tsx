/** What was wrong with a Pi and is no more, also where it came to no boot. */
import { Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { diagnosesQuery } from "../../api/queries.ts";
import { Panel } from "../../components/panel.tsx";
import { Problem } from "../../components/problem.tsx";
import { dateTimeText, durationText } from "../../words/time.ts";
import { pastTrouble, type Trouble } from "../../words/trouble.ts";
import classes from "./device.module.css";

/** So many are shown. */
const MOST = 10;

export function PastTrouble({ id }: { readonly id: string }) {
	const { data: diagnoses = [], error } = useQuery(diagnosesQuery(id));
	const past = pastTrouble(diagnoses).slice(0, MOST);
	if (past.length === 0 && error === null) return null;
	return (
		<Panel title="What was wrong before">
			<Problem error={error} title="What was wrong cannot be shown" />
			<ul className={classes.plain}>
				{past.map((trouble) => (
					<PastItem key={trouble.id} trouble={trouble} />
				))}
			</ul>
		</Panel>
	);
}

function PastItem({ trouble }: { readonly trouble: Trouble }) {
	const { message, seen, fix, at, endedAt, times } = trouble;
	return (
		<li>
			<Group justify="space-between" gap="xs">
				<Text size="sm">{dateTimeText(at)}</Text>
				<Text size="sm" c="dimmed">
					{times > 1 && `${times} times, `}for {durationText(endedAt - at)}
				</Text>
			</Group>
			<Text size="sm">{message}</Text>
			{seen !== "" && (
				<Text size="sm" c="dimmed">
					Seen: {seen}
				</Text>
			)}
			<Text size="sm" c="dimmed">
				{fix}
			</Text>
		</li>
	);
}
