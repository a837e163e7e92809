/** A card per Pi. */
import { Anchor, Badge, Checkbox, Group, Paper, Stack, Text } from "@mantine/core";
import type { Device } from "@pi-netboot/api";
import { Link } from "@tanstack/react-router";
import { memo, useId } from "react";
import { Ago } from "../../components/ago.tsx";
import { StageBar } from "../../components/stage-bar.tsx";
import { type StatusKind, statusColors } from "../../words/status.ts";
import { factsText, identityText, systemText } from "./device-facts.ts";
import classes from "./devices.module.css";
import type { ImageNames } from "./image-names.ts";
import type { ShownDevice } from "./shown-devices.ts";
import { usePaced } from "./use-paced.ts";

export interface DeviceListProps {
	readonly shown: readonly ShownDevice[];
	readonly names: ImageNames;
	readonly selected: ReadonlySet<string>;
	readonly onToggle: (id: string) => void;
}

export function DeviceCards({ shown, names, selected, onToggle }: DeviceListProps) {
	const painted = usePaced(shown);
	return (
		<ul className={classes.cards} aria-label="Pis">
			{shown.map(({ device: { id } }) => {
				const one = painted.get(id);
				return (
					<li key={id} className={classes.cell}>
						{one && (
							<DeviceCard
								device={one.device}
								kind={one.status.kind}
								word={one.status.word}
								sentence={one.status.sentence}
								system={systemText(one.device, names)}
								isSelected={selected.has(id)}
								onToggle={onToggle}
							/>
						)}
					</li>
				);
			})}
		</ul>
	);
}

export interface DeviceItemProps {
	readonly device: Device;
	readonly kind: StatusKind;
	readonly word: string;
	readonly sentence: string;
	/** What it runs. */
	readonly system: string;
	readonly isSelected: boolean;
	readonly onToggle: (id: string) => void;
}

const DeviceCard = memo(function DeviceCard(props: DeviceItemProps) {
	const { device, kind, word, sentence, system, isSelected, onToggle } = props;
	return (
		<Paper component="article" withBorder p="md" className={classes.card} data-selected={isSelected || undefined}>
			<Stack gap={8} h="100%">
				<Group justify="space-between" wrap="nowrap" gap="xs">
					<Group gap="xs" wrap="nowrap" miw={0}>
						<Tick name={device.name} isSelected={isSelected} onToggle={() => onToggle(device.id)} />
						<Anchor component={Link} to={`/devices/${device.id}`} fw={600} c="inherit" className={classes.name}>
							{device.name}
						</Anchor>
					</Group>
					<Badge variant="light" color={statusColors[kind]} flex="none">
						{word}
					</Badge>
				</Group>
				<Text size="sm" c="dimmed" className={classes.whole}>
					{factsText(device)}
				</Text>
				<StageBar reached={device.stages} state={kind} />
				<Text size="sm" className={classes.whole}>
					{kind === "running" ? system : sentence}
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
					<Text inherit className={classes.whole}>
						{identityText(device)}
					</Text>
					<Text inherit flex="none">
						<BootedAt at={device.lastBootAt} />
					</Text>
				</Group>
			</Stack>
		</Paper>
	);
});

/** `booted 5 minutes ago` */
export function BootedAt({ at }: { readonly at: number | null }) {
	if (at === null) return "never booted";
	return (
		<>
			booted <Ago at={at} />
		</>
	);
}

interface TickProps {
	readonly name: string;
	readonly isSelected: boolean;
	readonly onToggle: () => void;
}

/** With room around it for a finger. */
export function Tick({ name, isSelected, onToggle }: TickProps) {
	const id = useId();
	return (
		<label className={classes.tick} htmlFor={id}>
			<Checkbox id={id} size="xs" checked={isSelected} onChange={onToggle} aria-label={`Select ${name}`} />
		</label>
	);
}
