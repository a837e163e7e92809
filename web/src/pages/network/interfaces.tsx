/** The machine's network interfaces. */
import { Badge, Group, Text } from "@mantine/core";
import type { Network, NetworkInterface } from "@pi-netboot/api";
import { Panel } from "../../components/panel.tsx";
import classes from "./network.module.css";

const kinds: Readonly<Record<NetworkInterface["kind"], string>> = {
	wired: "cable",
	wireless: "Wi-Fi",
	virtual: "virtual",
	loopback: "this machine only",
};

export function Interfaces({ network }: { readonly network: Network }) {
	// No Pi is on the one of the machine itself.
	const shown = network.interfaces.filter(({ kind, name }) => kind !== "loopback" || name === network.interface);
	return (
		<Panel title="Interfaces" lead="Pis boot over a cable; Wi-Fi cannot boot any of them.">
			<ul className={classes.plain}>
				{shown.map((one) => (
					<li key={one.name}>
						<Group gap="xs">
							<Text fw={600} size="sm">
								{one.name}
							</Text>
							<Text size="sm" c="dimmed">
								{kinds[one.kind]}
							</Text>
							{one.name === network.interface && (
								<Badge variant="light" size="sm">
									Served
								</Badge>
							)}
							{one.defaultRoute && (
								<Badge variant="light" color="gray" size="sm">
									To the internet
								</Badge>
							)}
						</Group>
						<Text size="sm" ff="monospace">
							{one.addresses.map(({ address }) => address).join(", ") || "no address"}{" "}
							<Text span c="dimmed" inherit>
								{one.mac}
							</Text>
						</Text>
					</li>
				))}
			</ul>
		</Panel>
	);
}
