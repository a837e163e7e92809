/** A Pi as a row: many of them are seen at one glance. */
import { Text } from "@mantine/core";
import { StageBar } from "../../components/stage-bar.tsx";
import { factsText, identityText } from "./device-facts.ts";
import { BootedAt, type DeviceItemProps, Name, State, Tick } from "./device-parts.tsx";
import classes from "./devices.module.css";

export function DeviceRow({ shown: { device, status }, text, isSelected, onToggle }: DeviceItemProps) {
	return (
		<>
			<Tick device={device} isSelected={isSelected} onToggle={onToggle} />
			<div className={classes.who}>
				<Name device={device} size="sm" />
				<Text size="xs" c="dimmed" className={classes.whole}>
					{factsText(device)}
				</Text>
			</div>
			<div className={classes.progress}>
				<StageBar reached={device.stages} state={status.kind} />
			</div>
			<div className={classes.state}>
				<State status={status} size="sm" />
			</div>
			<Text size="xs" className={classes.sentence}>
				{text}
			</Text>
			<Text size="xs" c="dimmed" component="div" className={classes.when}>
				<BootedAt at={device.lastBootAt} />
				<div>{identityText(device)}</div>
			</Text>
		</>
	);
}
