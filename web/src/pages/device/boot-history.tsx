/** The boots before, and what was wrong with them. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { Device, PastBoot } from "@pi-netboot/api";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { bootsQuery } from "../../api/queries.ts";
import { Panel } from "../../components/panel.tsx";
import { Problem } from "../../components/problem.tsx";
import { rootModes, stageNames } from "../../words/stages.ts";
import { dateTimeText, durationText } from "../../words/time.ts";
import classes from "./device.module.css";
import { PastTrouble } from "./past-trouble.tsx";

/** At first. */
const SHOWN = 4;

export function BootHistory({ device }: { readonly device: Device }) {
	useFreshHistory(device);
	return (
		<>
			<PastTrouble id={device.id} />
			<Boots id={device.id} />
		</>
	);
}

function Boots({ id }: { readonly id: string }) {
	const { data: boots, error } = useQuery(bootsQuery(id));
	const [isWhole, { open }] = useDisclosure(false);
	if (boots?.length === 0) return null;
	return (
		<Panel title="Boots">
			<Problem error={error} title="The boots cannot be shown" />
			<ul className={classes.plain}>
				{boots?.slice(0, isWhole ? undefined : SHOWN).map((boot) => (
					<Boot key={boot.id} boot={boot} />
				))}
			</ul>
			{boots !== undefined && boots.length > SHOWN && !isWhole && (
				<Button size="xs" variant="default" w="fit-content" onClick={open}>
					Show {boots.length - SHOWN} more
				</Button>
			)}
		</Panel>
	);
}

/** Asks again when a boot begins or comes further, or something else is wrong. */
function useFreshHistory({ id, stage, lastBootAt, diagnosis }: Device): void {
	const client = useQueryClient();
	const progress = `${stage} ${lastBootAt} ${diagnosis?.code}`;
	const known = useRef(progress);
	useEffect(() => {
		if (known.current === progress) return;
		known.current = progress;
		void client.invalidateQueries({ queryKey: ["diagnoses", id] });
		void client.invalidateQueries({ queryKey: ["boots", id] });
		void client.invalidateQueries({ queryKey: ["attempts", id] });
		// A first boot makes it.
		void client.invalidateQueries({ queryKey: ["root", id] });
	}, [client, id, progress]);
}

function Boot({ boot }: { readonly boot: PastBoot }) {
	const { startedAt, imageId, rootMode, stages, diagnoses } = boot;
	const first = stages[0]?.at;
	const last = stages.at(-1);
	const outcome =
		last === undefined || first === undefined
			? "No stage was seen"
			: `${stageNames[last.stage]} after ${durationText(last.at - first)}`;
	return (
		<li>
			<Group justify="space-between" gap="xs">
				<Text size="sm">{dateTimeText(startedAt)}</Text>
				<Text size="sm">{outcome}</Text>
			</Group>
			<Text size="xs" c="dimmed">
				{imageId}, {rootModes[rootMode].name.toLowerCase()}
			</Text>
			<Stack gap={2}>
				{diagnoses.map(({ id, message }) => (
					<Text size="sm" key={id}>
						{message}
					</Text>
				))}
			</Stack>
		</li>
	);
}
