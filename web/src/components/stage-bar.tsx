/** How far a boot came: a segment for each stage. */
import type { Device, Stage } from "@pi-netboot/api";
import { memo } from "react";
import { stageNames, stages } from "../words/stages.ts";
import type { StatusKind } from "../words/status.ts";
import classes from "./stage-bar.module.css";

interface StageBarProps {
	readonly reached: Device["stages"];
	readonly state: StatusKind;
	/** The names below the segments. */
	readonly labelled?: boolean;
}

export const StageBar = memo(function StageBar({ reached, state, labelled = false }: StageBarProps) {
	const names = new Set(reached.map(({ stage }) => stage));
	const last = reached.at(-1)?.stage;
	const text =
		last === undefined ? "No boot yet" : `Boot came to stage ${stages.indexOf(last) + 1} of 6: ${stageNames[last]}`;
	const stateOf = (stage: Stage) =>
		names.has(stage) || isBefore(stage, last) ? (stage === last ? "last" : "done") : "open";
	return (
		<div className={classes.bar} data-state={state} role="img" aria-label={text}>
			{stages.map((stage) => (
				<span key={stage} className={classes.segment} data-stage={stateOf(stage)}>
					{labelled && <span className={classes.name}>{stageNames[stage]}</span>}
				</span>
			))}
		</div>
	);
});

/** A stage that nobody saw was passed all the same when a later one was reached. */
function isBefore(stage: Stage, last: Stage | undefined): boolean {
	return last !== undefined && stages.indexOf(stage) < stages.indexOf(last);
}
