/** Which services do not run, and the command that changes that. */
import { Alert, Stack, Text } from "@mantine/core";
import type { Health } from "@pi-netboot/api";
import { useQuery } from "@tanstack/react-query";
import { healthQuery } from "../api/queries.ts";
import { Command } from "./command.tsx";
import { AlertIcon } from "./icons.tsx";

type Services = Health["services"];

const serviceNames: Readonly<Record<keyof Services, string>> = {
	dhcp: "DHCP",
	tftp: "TFTP",
	nfs: "NFS",
	portmap: "Portmapper",
	netconsole: "Netconsole",
};

export function servicesOf(services: Services): [name: string, service: Services[keyof Services]][] {
	const keys = Object.keys(serviceNames) as (keyof Services)[];
	return keys.flatMap((key) => (services[key] === undefined ? [] : [[serviceNames[key], services[key]]]));
}

export function ServerTrouble() {
	const { data: health } = useQuery(healthQuery);
	if (health?.status !== "degraded") return null;
	const failed = servicesOf(health.services).filter(([, { state }]) => state === "failed");
	if (failed.length === 0) return null;
	const commands = new Set(failed.flatMap(([, { hint }]) => (hint ?? "").split("\n").filter(Boolean).slice(0, 1)));
	return (
		<Alert color="yellow" variant="light" icon={<AlertIcon />} title="Pis cannot boot yet">
			<Stack gap="xs">
				{failed.map(([name, { error }]) => (
					<Text size="sm" key={name}>
						{name}: {error ?? "does not run."}
					</Text>
				))}
				{commands.size > 0 && <Text size="sm">On the server&apos;s machine:</Text>}
				{[...commands].map((command) => (
					<Command key={command}>{command}</Command>
				))}
			</Stack>
		</Alert>
	);
}
