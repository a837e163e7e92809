/** The last boot, stage by stage, beside the ones before it, with the files that it asked for. */
import { Text } from "@mantine/core";
import type { BootAttempt, Device, PastBoot, Stage } from "@pi-netboot/api";
import { useQuery } from "@tanstack/react-query";
import { Fragment } from "react";
import { attemptsQuery, bootsQuery } from "../../api/queries.ts";
import { Panel } from "../../components/panel.tsx";
import { StageBar } from "../../components/stage-bar.tsx";
import { bytesText } from "../../words/bytes.ts";
import { stageNames } from "../../words/stages.ts";
import type { StatusKind } from "../../words/status.ts";
import { clockText, durationText } from "../../words/time.ts";
import { AskedFiles } from "./asked-files.tsx";
import classes from "./device.module.css";
import { Timelines } from "./timelines.tsx";

/** Boots before this one that are drawn beside it. */
const BESIDE = 4;

interface LastBootProps {
	readonly device: Device;
	readonly kind: StatusKind;
}

type Reached = Device["stages"];

export function LastBoot({ device, kind }: LastBootProps) {
	const { stages: reached } = device;
	const { data: boots = [] } = useQuery(bootsQuery(device.id));
	const { data: attempts = [] } = useQuery(attemptsQuery(device.id));
	const first = reached[0]?.at;
	const last = reached.at(-1)?.at;
	const before = earlier(boots, reached);
	const attempt = attempts.find(({ stages }) => stages[0]?.at === first);
	const lead =
		first === undefined || last === undefined
			? undefined
			: `${durationText(last - first)} from its first question to: ${stageNames[reached.at(-1)?.stage ?? "dhcp"]}`;
	return (
		<Panel title="Last boot" lead={lead}>
			<StageBar reached={reached} state={kind} labelled />
			{first === undefined ? (
				<Text size="sm">It has not booted from here yet.</Text>
			) : (
				<>
					<dl className={classes.times}>
						{reached.map(({ stage, at }) => (
							<Fragment key={stage}>
								<dt>{stageNames[stage]}</dt>
								<dd>
									<time dateTime={new Date(at).toISOString()}>{clockText(at)}</time>
								</dd>
								<dd className={classes.quiet}>
									after {durationText(at - first)}
									{usually(stage, before)}
									{sentAt(stage, attempt)}
								</dd>
							</Fragment>
						))}
					</dl>
					<Timelines now={{ startedAt: first, stages: reached }} earlier={before.slice(0, BESIDE)} />
				</>
			)}
			{attempt !== undefined && <AskedFiles attempt={attempt} />}
		</Panel>
	);
}

/** `, 31 MB sent`. */
function sentAt(stage: Stage, attempt: BootAttempt | undefined): string {
	const bytes = attempt?.stages.find((one) => one.stage === stage)?.bytes ?? 0;
	return bytes === 0 ? "" : `, ${bytesText(bytes)} sent`;
}

/** Those before this one. */
function earlier(boots: readonly PastBoot[], reached: Reached): readonly PastBoot[] {
	const begin = reached[0]?.at ?? 0;
	return boots.filter(({ stages }) => (stages.at(-1)?.at ?? begin) < begin);
}

/** `, usually 12 s`: the median of the boots before. */
function usually(stage: Stage, boots: readonly PastBoot[]): string {
	const times = boots.flatMap(({ stages }) => {
		const first = stages[0]?.at;
		const at = stages.find((one) => one.stage === stage)?.at;
		return first === undefined || at === undefined ? [] : [at - first];
	});
	const median = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
	return median === undefined || median === 0 ? "" : `, usually ${durationText(median)}`;
}
