/** Every service with its port, whether it runs, and what to do where it does not. */
import { Badge, Group, Skeleton, Stack, Text } from "@mantine/core";
import type { ServiceHealth, ServiceState } from "@pi-netboot/api";
import { useQuery } from "@tanstack/react-query";
import { healthQuery } from "../../api/queries.ts";
import { Command } from "../../components/command.tsx";
import { useLiveState } from "../../components/live-context.ts";
import { Panel } from "../../components/panel.tsx";
import { servicesOf } from "../../components/server-trouble.tsx";
import classes from "./network.module.css";

const states: Readonly<Record<ServiceState, { readonly word: string; readonly color: string }>> = {
	running: { word: "Running", color: "green" },
	starting: { word: "Starting", color: "blue" },
	failed: { word: "Does not run", color: "red" },
	off: { word: "Off", color: "gray" },
};

export function ServicesPanel() {
	const { data: health } = useQuery(healthQuery);
	const isAway = useLiveState() === "away";
	const page: ServiceHealth = { state: isAway ? "failed" : "running", port: Number(window.location.port) || 80 };
	if (health === undefined) return <Skeleton h={120} />;
	return (
		<Panel title="Services" lead={`pi-netboot ${health.version}`}>
			<ul className={classes.services}>
				<Service name="This page" service={page} />
				{servicesOf(health.services).map(([name, service]) => (
					<Service key={name} name={name} service={service} />
				))}
			</ul>
		</Panel>
	);
}

function Service({ name, service }: { readonly name: string; readonly service: ServiceHealth }) {
	const { state, port, error, hint } = service;
	const { word, color } = states[state];
	return (
		<li className={classes.service}>
			<Text fw={600} size="sm">
				{name}
			</Text>
			<Group gap={6} wrap="nowrap">
				<Badge variant="light" size="sm" color={color}>
					{word}
				</Badge>
				<Text size="xs" c="dimmed">
					Port {port}
				</Text>
			</Group>
			{error !== undefined && (
				<Stack gap={4} className={classes.whole}>
					<Text size="sm">{error}</Text>
					{hint?.split("\n").map((command) => (
						<Command key={command}>{command}</Command>
					))}
				</Stack>
			)}
		</li>
	);
}
