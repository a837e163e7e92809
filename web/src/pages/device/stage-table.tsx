/** Each stage of a boot: how long it took, how long it mostly takes, what was sent. */
import type { BootAttempt, PastBoot, ReachedStage, Stage } from "@pi-netboot/api";
import { bytesText } from "../../words/bytes.ts";
import { stageNames, stages } from "../../words/stages.ts";
import { clockText, dateTimeText, durationText } from "../../words/time.ts";
import colors from "./stage-colors.module.css";
import classes from "./stage-table.module.css";
import { bootLength, stageTimes, usualTimes } from "./stage-times.ts";

interface StageTableProps {
	readonly reached: readonly ReachedStage[];
	readonly before: readonly PastBoot[];
	readonly attempt: BootAttempt | undefined;
}

export function StageTable({ reached, before, attempt }: StageTableProps) {
	const times = new Map(stageTimes(reached).map(({ stage, took }) => [stage, took]));
	const usual = usualTimes(before);
	const sent = new Map(attempt?.stages.map(({ stage, bytes }) => [stage, bytes]));
	const all = [...sent.values()].reduce((sum, bytes) => sum + bytes, 0);
	return (
		<table className={`${classes.stages} ${colors.stages}`}>
			<thead>
				<tr>
					<th scope="col">Stage</th>
					<th scope="col">Took</th>
					{usual.size > 0 && <th scope="col">Usually</th>}
					{all > 0 && <th scope="col">Sent</th>}
					<th scope="col">Reached</th>
				</tr>
			</thead>
			<tbody>
				{stages.map((stage) => (
					<tr key={stage}>
						<th scope="row" data-stage={stage}>
							{stageNames[stage]}
						</th>
						<td>{durationOf(times, stage)}</td>
						{usual.size > 0 && <td>{durationOf(usual, stage)}</td>}
						{all > 0 && <td>{(sent.get(stage) ?? 0) > 0 && bytesText(sent.get(stage) ?? 0)}</td>}
						<td>
							<Reached at={reached.find((one) => one.stage === stage)?.at} />
						</td>
					</tr>
				))}
			</tbody>
			<tfoot>
				<tr>
					<th scope="row">Together</th>
					<td>{durationText(bootLength(reached))}</td>
					{usual.size > 0 && <td />}
					{all > 0 && <td>{bytesText(all)}</td>}
					<td />
				</tr>
			</tfoot>
		</table>
	);
}

function Reached({ at }: { readonly at: number | undefined }) {
	if (at === undefined) return "not yet";
	return (
		<time dateTime={new Date(at).toISOString()} title={dateTimeText(at)}>
			{clockText(at)}
		</time>
	);
}

function durationOf(times: ReadonlyMap<Stage, number>, stage: Stage): string {
	const took = times.get(stage);
	return took === undefined ? "" : durationText(took);
}
