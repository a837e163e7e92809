/** A card per Pi. */
import { Anchor, Badge, Checkbox, Group, Paper, Stack, Text } from "@mantine/core";
import type { Device } from "@pi-netboot/api";
import { Link } from "@tanstack/react-router";
import { memo } from "react";
import { Ago } from "../../components/ago.tsx";
import { StageBar } from "../../components/stage-bar.tsx";
import { modelText } from "../../words/models.ts";
import { type StatusKind, statusColors } from "../../words/status.ts";
import classes from "./devices.module.css";
import { type ImageNames, imageOf } from "./image-names.ts";
import type { ShownDevice } from "./shown-devices.ts";

export interface DeviceListProps {
	readonly shown: readonly ShownDevice[];
	readonly names: ImageNames;
	readonly selected: ReadonlySet<string>;
	readonly onToggle: (id: string) => void;
}

export function DeviceCards({ shown, names, selected, onToggle }: DeviceListProps) {
	return (
		<ul className={classes.cards}>
			{shown.map(({ device, status }) => (
				<li key={device.id} className={classes.cell}>
					<DeviceCard
						device={device}
						kind={status.kind}
						word={status.word}
						sentence={status.sentence}
						image={imageOf(device, names)}
						isSelected={selected.has(device.id)}
						onToggle={onToggle}
					/>
				</li>
			))}
		</ul>
	);
}

export interface DeviceItemProps {
	readonly device: Device;
	readonly kind: StatusKind;
	readonly word: string;
	readonly sentence: string;
	readonly image: string;
	readonly isSelected: boolean;
	readonly onToggle: (id: string) => void;
}

const DeviceCard = memo(function DeviceCard(props: DeviceItemProps) {
	const { device, kind, word, sentence, image, isSelected, onToggle } = props;
	return (
		<Paper component="article" withBorder p="md" className={classes.card} data-selected={isSelected || undefined}>
			<Stack gap={8} h="100%">
				<Group justify="space-between" wrap="nowrap" gap="xs">
					<Group gap="xs" wrap="nowrap" miw={0}>
						<Checkbox
							size="xs"
							checked={isSelected}
							onChange={() => onToggle(device.id)}
							aria-label={`Select ${device.name}`}
						/>
						<Anchor component={Link} to={`/devices/${device.id}`} fw={600} c="inherit" className={classes.name}>
							{device.name}
						</Anchor>
					</Group>
					<Badge variant="light" color={statusColors[kind]} flex="none">
						{word}
					</Badge>
				</Group>
				<Text size="sm" c="dimmed" truncate>
					{factsText(device)}
				</Text>
				<StageBar reached={device.stages} state={kind} />
				<Text size="sm" lineClamp={kind === "trouble" ? 4 : 1}>
					{sentence}
				</Text>
				{device.tags.length > 0 && (
					<Group gap={4} role="group" aria-label="Tags">
						{device.tags.map((tag) => (
							<Badge key={tag} size="sm" variant="light" color="gray" tt="none">
								{tag}
							</Badge>
						))}
					</Group>
				)}
				<Group gap={6} mt="auto" c="dimmed" fz="xs" justify="space-between" wrap="nowrap">
					<Text inherit truncate>
						{image}
					</Text>
					<Text inherit flex="none">
						{device.lastBootAt === null ? "never booted" : <Ago at={device.lastBootAt} />}
					</Text>
				</Group>
			</Stack>
		</Paper>
	);
});

/** `Pi 5 · 192.0.2.20 · 52 °C` */
function factsText({ model, ip, agent }: Device): string {
	const temperature = agent?.online === true ? agent.inventory.temperature : 0;
	const degrees = temperature > 0 ? `${temperature.toFixed(0)} °C` : undefined;
	return [model === null ? "Model not known yet" : modelText(model), ip, degrees].filter(Boolean).join(" · ");
}
