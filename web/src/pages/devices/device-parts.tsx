/** What a card and a row of a Pi have in common. */
import { Anchor, Badge, Checkbox } from "@mantine/core";
import type { Device } from "@pi-netboot/api";
import { Link } from "@tanstack/react-router";
import { useId } from "react";
import { Ago } from "../../components/ago.tsx";
import { type Status, statusColors } from "../../words/status.ts";
import classes from "./devices.module.css";
import type { ShownDevice } from "./shown-devices.ts";

export interface DeviceItemProps {
	readonly shown: ShownDevice;
	/** What it runs, or why it does not. */
	readonly text: string;
	readonly isSelected: boolean;
	readonly onToggle: (id: string) => void;
}

interface TickProps {
	readonly device: Device;
	readonly isSelected: boolean;
	readonly onToggle: (id: string) => void;
}

/** With room around it for a finger. */
export function Tick({ device: { id, name }, isSelected, onToggle }: TickProps) {
	const box = useId();
	return (
		<label className={classes.tick} htmlFor={box}>
			<Checkbox id={box} size="xs" checked={isSelected} onChange={() => onToggle(id)} aria-label={`Select ${name}`} />
		</label>
	);
}

interface NameProps {
	readonly device: Device;
	readonly size?: "sm" | "md";
}

/** Leads to its page. */
export function Name({ device: { id, name }, size = "md" }: NameProps) {
	return (
		<Anchor component={Link} to={`/devices/${id}`} fw={600} c="inherit" className={classes.name} size={size}>
			{name}
		</Anchor>
	);
}

interface StateProps {
	readonly status: Status;
	readonly size?: "sm" | "md";
}

export function State({ status: { kind, word }, size = "md" }: StateProps) {
	return (
		<Badge variant="light" color={statusColors[kind]} size={size} flex="none">
			{word}
		</Badge>
	);
}

/** `booted 5 minutes ago` */
export function BootedAt({ at }: { readonly at: number | null }) {
	if (at === null) return "never booted";
	return (
		<>
			booted <Ago at={at} />
		</>
	);
}
