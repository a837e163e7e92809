/** Searching and sifting the Pis. */
import { ActionIcon, Chip, Group, Text, TextInput } from "@mantine/core";
import { CardsIcon, RowsIcon, SearchIcon } from "../../components/icons.tsx";
import type { StatusKind } from "../../words/status.ts";
import { countOf, type DeviceFilter, type ShownDevice } from "./shown-devices.ts";

export type View = "cards" | "rows";

interface ToolbarProps {
	readonly all: readonly ShownDevice[];
	readonly filter: DeviceFilter;
	readonly onFilter: (filter: DeviceFilter) => void;
	/** How many are shown. */
	readonly count: number;
	readonly view: View;
	readonly onView: (view: View) => void;
}

const chips: readonly { readonly kind: StatusKind; readonly name: string }[] = [
	{ kind: "trouble", name: "Need help" },
	{ kind: "writing", name: "Writing" },
	{ kind: "starting", name: "Starting" },
	{ kind: "running", name: "Running" },
];

export function Toolbar({ all, filter, onFilter, count, view, onView }: ToolbarProps) {
	return (
		<Group gap="sm">
			<TextInput
				type="search"
				aria-label="Search the Pis"
				placeholder="Name, tag, serial, address, model, image"
				leftSection={<SearchIcon size={16} />}
				value={filter.text}
				onChange={({ currentTarget }) => onFilter({ ...filter, text: currentTarget.value })}
				flex="1 1 14rem"
				maw="26rem"
			/>
			<Group gap={6} role="group" aria-label="Only those that">
				{chips
					.map(({ kind, name }) => ({ kind, name, count: countOf(all, kind) }))
					.filter(({ kind, count: number }) => number > 0 || filter.kind === kind)
					.map(({ kind, name, count: number }) => (
						<Chip
							key={kind}
							size="xs"
							variant="outline"
							checked={filter.kind === kind}
							onChange={(checked) => onFilter({ ...filter, kind: checked ? kind : "all" })}
						>
							{name} {number}
						</Chip>
					))}
			</Group>
			<Text size="sm" c="dimmed" role="status">
				{count === all.length ? "" : `${count} of ${all.length} shown`}
			</Text>
			<ActionIcon.Group ml="auto" visibleFrom="sm" aria-label="How they are shown">
				<ActionIcon
					variant={view === "cards" ? "light" : "default"}
					size="lg"
					aria-label="Show cards"
					aria-pressed={view === "cards"}
					onClick={() => onView("cards")}
				>
					<CardsIcon />
				</ActionIcon>
				<ActionIcon
					variant={view === "rows" ? "light" : "default"}
					size="lg"
					aria-label="Show rows"
					aria-pressed={view === "rows"}
					onClick={() => onView("rows")}
				>
					<RowsIcon />
				</ActionIcon>
			</ActionIcon.Group>
		</Group>
	);
}
