/** A row per Pi, for many of them. */
import { Anchor, Badge, Checkbox, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { memo } from "react";
import { Ago } from "../../components/ago.tsx";
import { StageBar } from "../../components/stage-bar.tsx";
import { modelText } from "../../words/models.ts";
import { statusColors } from "../../words/status.ts";
import type { DeviceItemProps, DeviceListProps } from "./device-cards.tsx";
import classes from "./devices.module.css";
import { imageOf } from "./image-names.ts";

export function DeviceRows({ shown, names, selected, onToggle }: DeviceListProps) {
	return (
		<ul className={classes.rows}>
			{shown.map(({ device, status }) => (
				<DeviceRow
					key={device.id}
					device={device}
					kind={status.kind}
					word={status.word}
					sentence={status.sentence}
					image={imageOf(device, names)}
					isSelected={selected.has(device.id)}
					onToggle={onToggle}
				/>
			))}
		</ul>
	);
}

const DeviceRow = memo(function DeviceRow(props: DeviceItemProps) {
	const { device, kind, word, sentence, image, isSelected, onToggle } = props;
	return (
		<li className={classes.row} data-selected={isSelected || undefined}>
			<Checkbox
				size="xs"
				checked={isSelected}
				onChange={() => onToggle(device.id)}
				aria-label={`Select ${device.name}`}
			/>
			<div className={classes.who}>
				<Anchor component={Link} to={`/devices/${device.id}`} fw={600} c="inherit" className={classes.name} size="sm">
					{device.name}
				</Anchor>
				<Text size="xs" c="dimmed" truncate>
					{[device.model === null ? undefined : modelText(device.model), device.ip].filter(Boolean).join(" · ")}
				</Text>
			</div>
			<div className={classes.progress}>
				<StageBar reached={device.stages} state={kind} />
			</div>
			<div className={classes.state}>
				<Badge variant="light" size="sm" color={statusColors[kind]}>
					{word}
				</Badge>
			</div>
			<Text size="xs" className={classes.sentence} truncate title={sentence}>
				{kind === "trouble" || kind === "starting" ? sentence : image}
			</Text>
			<Text size="xs" c="dimmed" className={classes.when}>
				{device.lastBootAt === null ? "never booted" : <Ago at={device.lastBootAt} />}
			</Text>
		</li>
	);
});
