/** The Pis, each as a card, or as a row where there are many. */
import { type ComponentType, memo } from "react";
import { DeviceCard } from "./device-card.tsx";
import { systemText } from "./device-facts.ts";
import type { DeviceItemProps } from "./device-parts.tsx";
import { DeviceRow } from "./device-row.tsx";
import classes from "./devices.module.css";
import type { ImageNames } from "./image-names.ts";
import type { ShownDevice } from "./shown-devices.ts";
import type { View } from "./toolbar.tsx";
import { usePaced } from "./use-paced.ts";

interface Look {
	readonly list: string | undefined;
	readonly item: string | undefined;
	readonly Item: ComponentType<DeviceItemProps>;
}

const looks: Readonly<Record<View, Look>> = {
	cards: { list: classes.cards, item: classes.cell, Item: memo(DeviceCard) },
	rows: { list: classes.rows, item: classes.row, Item: memo(DeviceRow) },
};

interface DeviceListProps {
	readonly view: View;
	readonly shown: readonly ShownDevice[];
	readonly names: ImageNames;
	readonly selected: ReadonlySet<string>;
	readonly onToggle: (id: string) => void;
}

export function DeviceList({ view, shown, names, selected, onToggle }: DeviceListProps) {
	const painted = usePaced(shown);
	const { list, item, Item } = looks[view];
	return (
		<ul className={list} aria-label="Pis">
			{shown.map(({ device: { id } }) => {
				const one = painted.get(id);
				const isSelected = selected.has(id);
				return (
					<li key={id} className={item} data-selected={isSelected || undefined}>
						{one && <Item shown={one} text={textOf(one, names)} isSelected={isSelected} onToggle={onToggle} />}
					</li>
				);
			})}
		</ul>
	);
}

function textOf({ device, status }: ShownDevice, names: ImageNames): string {
	return status.kind === "running" ? systemText(device, names) : status.sentence;
}
