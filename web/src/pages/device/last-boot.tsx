/** The last boot, stage by stage, beside the ones before it, with the files that it asked for. */
import { Text } from "@mantine/core";
import type { Device, PastBoot } from "@pi-netboot/api";
import { useQuery } from "@tanstack/react-query";
import { attemptsQuery, bootsQuery } from "../../api/queries.ts";
import { Ago } from "../../components/ago.tsx";
import { Panel } from "../../components/panel.tsx";
import { StageBar } from "../../components/stage-bar.tsx";
import type { StatusKind } from "../../words/status.ts";
import { AskedFiles } from "./asked-files.tsx";
import { StageTable } from "./stage-table.tsx";
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
	const before = earlier(boots, reached);
	const attempt = attempts.find(({ stages }) => stages[0]?.at === first);
	return (
		<Panel title="Last boot" lead={first === undefined ? undefined : <Ago at={first} />}>
			<StageBar reached={reached} state={kind} />
			{first === undefined ? (
				<Text size="sm">It has not booted from here yet.</Text>
			) : (
				<>
					<StageTable reached={reached} before={before} attempt={attempt} />
					<Timelines now={{ startedAt: first, stages: reached }} earlier={before.slice(0, BESIDE)} />
				</>
			)}
			{attempt !== undefined && <AskedFiles attempt={attempt} />}
		</Panel>
	);
}

/** Those before this one. */
function earlier(boots: readonly PastBoot[], reached: Reached): readonly PastBoot[] {
	const begin = reached[0]?.at ?? 0;
	return boots.filter(({ stages }) => (stages.at(-1)?.at ?? begin) < begin);
}
