/** How long each stage took, this boot's bar above those of the ones before it, all to one scale. */
import { Text } from "@mantine/core";
import type { ReachedStage } from "@pi-netboot/api";
import { stageNames } from "../../words/stages.ts";
import { dateTimeText, durationText } from "../../words/time.ts";
import colors from "./stage-colors.module.css";
import { bootLength, stageTimes } from "./stage-times.ts";
import classes from "./timelines.module.css";

/** A boot's stages in their order. */
interface Timeline {
	readonly startedAt: number;
	readonly stages: readonly ReachedStage[];
}

interface TimelinesProps {
	/** The one that is told of first. */
	readonly now: Timeline;
	readonly earlier: readonly Timeline[];
}

export function Timelines({ now, earlier }: TimelinesProps) {
	const all = [now, ...earlier];
	const longest = Math.max(...all.map(({ stages }) => bootLength(stages)), 1);
	if (earlier.length === 0) return null;
	return (
		<div>
			<Text size="sm" mb={4}>
				Beside the boots before it
			</Text>
			<ul className={`${classes.lines} ${colors.stages}`}>
				{all.map((line, index) => (
					<Line key={line.startedAt} line={line} longest={longest} name={index === 0 ? "This boot" : undefined} />
				))}
			</ul>
		</div>
	);
}

interface LineProps {
	readonly line: Timeline;
	readonly longest: number;
	readonly name: string | undefined;
}

function Line({ line, longest, name = dateTimeText(line.startedAt) }: LineProps) {
	const parts = stageTimes(line.stages);
	const told = parts.map(({ stage, took }) => `${stageNames[stage]} ${durationText(took)}`).join(", ");
	return (
		<li>
			<span className={classes.name}>{name}</span>
			<span className={classes.bar} role="img" aria-label={told === "" ? "One stage" : told} title={told}>
				{parts.map(({ stage, took }) => (
					<span key={stage} data-stage={stage} style={{ width: `${(100 * took) / longest}%` }} />
				))}
			</span>
			<span className={classes.length}>{durationText(bootLength(line.stages))}</span>
		</li>
	);
}
