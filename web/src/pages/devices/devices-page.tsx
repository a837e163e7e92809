/** All Pis at one glance. */
import { SimpleGrid, Skeleton, Stack, Text, VisuallyHidden } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, startTransition, useCallback, useDeferredValue, useMemo, useState } from "react";
import { pageFile } from "../../api/page-files.ts";
import { devicesQuery, imagesQuery, writesQuery } from "../../api/queries.ts";
import { useNow } from "../../components/ago.tsx";
import { PageFrame } from "../../components/page-frame.tsx";
import { Problem } from "../../components/problem.tsx";
import { ServerTrouble } from "../../components/server-trouble.tsx";
import { useKept } from "../../hooks/use-kept.ts";
import { Bystanders } from "./bystanders.tsx";
import { DeviceList } from "./device-list.tsx";
import { imageNames } from "./image-names.ts";
import { NoDevices } from "./no-devices.tsx";
import { countsText, type DeviceFilter, filterDevices, helpText, withStatus } from "./shown-devices.ts";
import { Toolbar, type View } from "./toolbar.tsx";

/** Loaded when a Pi is chosen: this is the first page. */
const SelectionBar = lazy(pageFile(() => import("./selection-bar.tsx")));

/** From so many on, rows show more at a glance. */
const MANY = 24;

export function DevicesPage() {
	const { data: devices, error, refetch } = useQuery(devicesQuery);
	const { data: images } = useQuery(imagesQuery);
	const { data: writes } = useQuery(writesQuery);
	const now = useNow();
	const [filter, setFilter] = useKept<DeviceFilter>("pis", { text: "", kind: "all" });
	const [chosenView, setView] = useState<View>();
	const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
	const all = useMemo(() => withStatus(devices ?? [], now, writes), [devices, now, writes]);
	const wanted = useDeferredValue(filter);
	const names = useMemo(() => imageNames(images ?? []), [images]);
	const shown = useMemo(() => filterDevices(all, wanted, names), [all, wanted, names]);
	const toggle = useCallback((id: string) => setSelected((before) => toggled(before, id)), []);
	const chosen = all.filter(({ device }) => selected.has(device.id)).map(({ device }) => device);
	const view = chosenView ?? (all.length >= MANY ? "rows" : "cards");
	return (
		<PageFrame title="Pis" lead={all.length === 0 ? undefined : countsText(all)}>
			<Problem error={error} title="The Pis cannot be shown" onRetry={() => void refetch()} />
			<ServerTrouble />
			<VisuallyHidden role="status">{helpText(all)}</VisuallyHidden>
			{devices === undefined && error === null && <Waiting />}
			{devices?.length === 0 && <NoDevices />}
			{all.length > 0 && (
				<Stack gap="md">
					<Toolbar all={all} filter={filter} onFilter={setFilter} count={shown.length} view={view} onView={setView} />
					{/* Each of its own: they are painted step by step, anew when somebody turns to the other. */}
					<DeviceList key={view} view={view} shown={shown} names={names} selected={selected} onToggle={toggle} />
					{shown.length === 0 && <Text size="sm">No Pi fits.</Text>}
				</Stack>
			)}
			<Bystanders />
			<Suspense>
				{chosen.length > 0 && (
					<SelectionBar
						chosen={chosen}
						shownIds={shown.map(({ device }) => device.id)}
						onSelect={(ids) => startTransition(() => setSelected(new Set(ids)))}
						onShowAll={() => setFilter({ text: "", kind: "all" })}
					/>
				)}
			</Suspense>
		</PageFrame>
	);
}

function toggled(before: ReadonlySet<string>, id: string): ReadonlySet<string> {
	const after = new Set(before);
	if (!after.delete(id)) after.add(id);
	return after;
}

function Waiting() {
	return (
		<SimpleGrid cols={{ base: 1, xs: 2, lg: 3 }} aria-busy="true">
			<Skeleton h={170} />
			<Skeleton h={170} />
			<Skeleton h={170} />
		</SimpleGrid>
	);
}
