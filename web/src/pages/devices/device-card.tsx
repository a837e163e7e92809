/** A Pi as a card. */
import { Badge, Group, Paper, Stack, Text } from "@mantine/core";
import { StageBar } from "../../components/stage-bar.tsx";
import { factsText, identityText } from "./device-facts.ts";
import { BootedAt, type DeviceItemProps, Name, State, Tick } from "./device-parts.tsx";
import classes from "./devices.module.css";

export function DeviceCard({ shown: { device, status }, text, isSelected, onToggle }: DeviceItemProps) {
	return (
		<Paper component="article" withBorder p="md" className={classes.card}>
			<Stack gap={8} h="100%">
				<Group justify="space-between" wrap="nowrap" gap="xs">
					<Group gap="xs" wrap="nowrap" miw={0}>
						<Tick device={device} isSelected={isSelected} onToggle={onToggle} />
						<Name device={device} />
					</Group>
					<State status={status} />
				</Group>
				<Text size="sm" c="dimmed" className={classes.whole}>
					{factsText(device)}
				</Text>
				<StageBar reached={device.stages} state={status.kind} />
				<Text size="sm" className={classes.whole}>
					{text}
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
}
