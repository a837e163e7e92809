/** Each stage of a boot: how long it took, how long it mostly takes, what was sent. */
import type { BootAttempt, PastBoot, ReachedStage, Stage } from "@pi-netboot/api";
import type { ReactNode } from "react";
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
		<div className={classes.room}>
			<table className={`${classes.stages} ${colors.stages}`}>
				<thead>
					<tr>
						<th scope="col">Stage</th>
						<th scope="col">Took</th>
						{usual.size > 0 && <th scope="col">Usually</th>}
						{all > 0 && <th scope="col">Sent</th>}
						<th scope="col" className={classes.beside}>
							Reached
						</th>
					</tr>
				</thead>
				<tbody>
					{stages.map((stage) => (
						<Row key={stage} stage={stage} at={reached.find((one) => one.stage === stage)?.at}>
							<td>{durationOf(times, stage)}</td>
							{usual.size > 0 && <td>{durationOf(usual, stage)}</td>}
							{all > 0 && <td>{(sent.get(stage) ?? 0) > 0 && bytesText(sent.get(stage) ?? 0)}</td>}
						</Row>
					))}
				</tbody>
				<tfoot>
					<tr>
						<th scope="row">Together</th>
						<td>{durationText(bootLength(reached))}</td>
						{usual.size > 0 && <td />}
						{all > 0 && <td>{bytesText(all)}</td>}
						<td className={classes.beside} />
					</tr>
				</tfoot>
			</table>
		</div>
	);
}

interface RowProps {
	readonly stage: Stage;
	/** When it was reached. */
	readonly at: number | undefined;
	readonly children: ReactNode;
}

/** The time is beside the numbers, or below the name: what does not fit there is not shown. */
function Row({ stage, at, children }: RowProps) {
	return (
		<tr>
			<th scope="row" data-stage={stage}>
				{stageNames[stage]}
				<span className={classes.below}>
					<Reached at={at} />
				</span>
			</th>
			{children}
			<td className={classes.beside}>
				<Reached at={at} />
			</td>
		</tr>
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
