/** A row per Pi, for many of them. */
import { Anchor, Badge, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { memo } from "react";
import { StageBar } from "../../components/stage-bar.tsx";
import { statusColors } from "../../words/status.ts";
import { BootedAt, type DeviceItemProps, type DeviceListProps, Tick } from "./device-cards.tsx";
import { factsText, identityText, systemText } from "./device-facts.ts";
import classes from "./devices.module.css";
import { usePaced } from "./use-paced.ts";

export function DeviceRows({ shown, names, selected, onToggle }: DeviceListProps) {
	const painted = usePaced(shown);
	return (
		<ul className={classes.rows} aria-label="Pis">
			{shown.map(({ device: { id } }) => {
				const one = painted.get(id);
				const isSelected = selected.has(id);
				return (
					<li key={id} className={classes.row} data-selected={isSelected || undefined}>
						{one && (
							<DeviceRow
								device={one.device}
								kind={one.status.kind}
								word={one.status.word}
								sentence={one.status.sentence}
								system={systemText(one.device, names)}
								isSelected={isSelected}
								onToggle={onToggle}
							/>
						)}
					</li>
				);
			})}
		</ul>
	);
}

const DeviceRow = memo(function DeviceRow(props: DeviceItemProps) {
	const { device, kind, word, sentence, system, isSelected, onToggle } = props;
	return (
		<>
			<Tick name={device.name} isSelected={isSelected} onToggle={() => onToggle(device.id)} />
			<div className={classes.who}>
				<Anchor component={Link} to={`/devices/${device.id}`} fw={600} c="inherit" className={classes.name} size="sm">
					{device.name}
				</Anchor>
				<Text size="xs" c="dimmed" className={classes.whole}>
					{factsText(device)}
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
			<Text size="xs" className={classes.sentence}>
				{kind === "running" ? system : sentence}
			</Text>
			<Text size="xs" c="dimmed" component="div" className={classes.when}>
				<BootedAt at={device.lastBootAt} />
				<div>{identityText(device)}</div>
			</Text>
		</>
	);
});
