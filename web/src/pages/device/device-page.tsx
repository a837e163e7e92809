/** Everything about one Pi. */
import { Anchor, Badge, Group, Skeleton, Stack, Text } from "@mantine/core";
import type { Device } from "@pi-netboot/api";
import { useQuery } from "@tanstack/react-query";
import { Link, Navigate, useParams } from "@tanstack/react-router";
import { useMemo } from "react";
import {
	deviceLogsQuery,
	deviceQuery,
	devicesQuery,
	deviceWritesQuery,
	logsQuery,
	writesQuery,
} from "../../api/queries.ts";
import { useNow } from "../../components/ago.tsx";
import { Columns } from "../../components/columns.tsx";
import { FindingNote, Findings } from "../../components/findings.tsx";
import { BackIcon } from "../../components/icons.tsx";
import { LogView } from "../../components/log-view.tsx";
import { PageFrame } from "../../components/page-frame.tsx";
import { Panel } from "../../components/panel.tsx";
import { Problem } from "../../components/problem.tsx";
import { WriteList } from "../../components/write-list.tsx";
import { statusColors, statusOf } from "../../words/status.ts";
import { together } from "../../words/writes.ts";
import { About } from "./about.tsx";
import { BootHistory } from "./boot-history.tsx";
import { CustomisationPanel } from "./customisation-panel.tsx";
import { DeviceActions, WhyNot } from "./device-actions.tsx";
import { LastBoot } from "./last-boot.tsx";
import { RootPanel } from "./root-panel.tsx";
import { SettingsPanel } from "./settings-panel.tsx";

export function DevicePage() {
	const { id } = useParams({ from: "/devices/$id" });
	const { data: devices, error, refetch } = useQuery(devicesQuery);
	const device = devices?.find((one) => one.id === id);
	const isMissing = devices !== undefined && device === undefined;
	// A Pi that was seen by its MAC alone gets another id when it says its serial; the server knows it by the old one, too.
	const { data: found, isFetched } = useQuery({ ...deviceQuery(id), enabled: isMissing });
	if (device !== undefined) return <KnownDevice key={device.id} device={device} />;
	if (isMissing && found !== undefined && found.id !== id) {
		return <Navigate to="/devices/$id" params={{ id: found.id }} replace />;
	}
	return (
		<PageFrame title="Pi" lead={<BackLink />}>
			<Problem error={error} title="The Pi cannot be shown" onRetry={() => void refetch()} />
			{!isFetched && error === null && <Skeleton h={240} aria-busy="true" />}
			{isFetched && <p>There is no Pi with the id {id}.</p>}
		</PageFrame>
	);
}

function BackLink() {
	return (
		<Anchor component={Link} to="/devices" size="sm">
			<Group gap={2} component="span">
				<BackIcon size={14} />
				All Pis
			</Group>
		</Anchor>
	);
}

function KnownDevice({ device }: { readonly device: Device }) {
	const status = statusOf(device, useNow());
	return (
		<PageFrame title={device.name} lead={<BackLink />} actions={<DeviceActions device={device} />}>
			<Group gap="sm" role="status">
				<Badge variant="light" size="lg" color={statusColors[status.kind]}>
					{status.word}
				</Badge>
				<span>{device.diagnosis === undefined && status.sentence}</span>
			</Group>
			<WhyNot device={device} />
			{device.diagnosis !== undefined && (
				<div role="alert">
					<FindingNote finding={device.diagnosis} />
				</div>
			)}
			<Findings findings={device.findings} />
			<Columns>
				<Stack>
					<LastBoot device={device} kind={status.kind} />
					<Writes device={device} />
					<About device={device} />
					<BootHistory device={device} />
				</Stack>
				<Stack>
					<SettingsPanel device={device} />
					<CustomisationPanel device={device} />
					<RootPanel device={device} />
				</Stack>
			</Columns>
			<DeviceLog device={device} />
		</PageFrame>
	);
}

function Writes({ device }: { readonly device: Device }) {
	const { data: last = [] } = useQuery(deviceWritesQuery(device.id));
	const { data: live = [] } = useQuery(writesQuery);
	const own = together(
		last,
		live.filter(({ deviceId }) => deviceId === device.id),
	);
	if (own.length === 0) return null;
	return (
		<Panel title="Written to its disks">
			<WriteList writes={own.slice(0, 5)} />
		</Panel>
	);
}

function DeviceLog({ device }: { readonly device: Device }) {
	const { data: earlier } = useQuery(deviceLogsQuery(device.id));
	const { data: live = [] } = useQuery(logsQuery);
	const own = useMemo(() => {
		const last = earlier?.at(-1)?.id ?? -1;
		return [...(earlier ?? []), ...live.filter((line) => line.device === device.id && line.id > last)];
	}, [earlier, live, device.id]);
	return (
		<Panel title="Log of this Pi">
			{own.length > 0 && <LogView lines={own} height="20rem" fits />}
			{own.length === 0 && earlier !== undefined && (
				<Text size="sm">Nothing was logged of it since the server was started.</Text>
			)}
		</Panel>
	);
}
