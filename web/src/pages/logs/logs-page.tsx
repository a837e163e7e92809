/** What the server says, as it says it. */
import { Button, Select, TextInput } from "@mantine/core";
import type { Device, LogLevel, LogLine } from "@pi-netboot/api";
import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useMemo } from "react";
import { devicesQuery, logsQuery } from "../../api/queries.ts";
import { DownloadIcon, SearchIcon } from "../../components/icons.tsx";
import { LogView } from "../../components/log-view.tsx";
import { PageFrame } from "../../components/page-frame.tsx";
import { Problem } from "../../components/problem.tsx";
import { saveText } from "../../components/save-text.ts";
import { useKept } from "../../hooks/use-kept.ts";
import { filterLines, type LineFilter, lineText } from "../../words/log-lines.ts";
import classes from "./logs.module.css";

const levels = [
	{ value: "debug", label: "Everything" },
	{ value: "info", label: "Information and up" },
	{ value: "warn", label: "Warnings and errors" },
	{ value: "error", label: "Errors" },
];

export function LogsPage() {
	const { data: lines = [], error, refetch } = useQuery(logsQuery);
	const { data: devices = [] } = useQuery(devicesQuery);
	const [filter, setFilter] = useKept<LineFilter>("log", { level: "info", service: null, device: null, text: "" });
	const wanted = useDeferredValue(filter);
	const shown = useMemo(() => filterLines(lines, wanted), [lines, wanted]);
	const services = useMemo(() => [...new Set(lines.map(({ service }) => service))].sort(), [lines]);
	const names = useMemo(() => new Map(devices.map(({ id, name }) => [id, name])), [devices]);
	return (
		<PageFrame
			title="Log"
			lead={`${countText(shown.length, lines.length)}; new ones come in by themselves.`}
			actions={
				<Button
					variant="default"
					leftSection={<DownloadIcon size={16} />}
					onClick={() => saveText("pi-netboot.log", shown.map(lineText).join("\n"))}
				>
					Download
				</Button>
			}
		>
			<Problem error={error} title="The log cannot be shown" onRetry={() => void refetch()} />
			<div className={classes.filters}>
				<TextInput
					type="search"
					aria-label="Search the log"
					placeholder="Text in the lines"
					leftSection={<SearchIcon size={16} />}
					value={filter.text}
					onChange={({ currentTarget }) => setFilter({ ...filter, text: currentTarget.value })}
				/>
				<Select
					aria-label="Level"
					data={levels}
					value={filter.level}
					allowDeselect={false}
					onChange={(level) => setFilter({ ...filter, level: level as LogLevel })}
				/>
				<Select
					aria-label="Service"
					placeholder="Every service"
					data={services}
					value={filter.service}
					clearable
					onChange={(service) => setFilter({ ...filter, service })}
				/>
				<Select
					aria-label="Pi"
					placeholder="Every Pi"
					data={deviceChoices(devices, lines)}
					value={filter.device}
					clearable
					searchable
					onChange={(device) => setFilter({ ...filter, device })}
				/>
			</div>
			<div className={classes.page}>
				<LogView lines={shown} names={names} height="var(--log-height)" />
			</div>
		</PageFrame>
	);
}

/** Those that the log speaks of. */
function deviceChoices(devices: readonly Device[], lines: readonly LogLine[]): { value: string; label: string }[] {
	const spokenOf = new Set(lines.map(({ device }) => device));
	return devices.filter(({ id }) => spokenOf.has(id)).map(({ id, name }) => ({ value: id, label: name }));
}

/** `268 lines`, `12 of 268 lines` */
function countText(shown: number, all: number): string {
	const lines = all === 1 ? "1 line" : `${all} lines`;
	return shown === all ? lines : `${shown} of ${lines}`;
}
