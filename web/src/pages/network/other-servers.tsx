/** Who else hands out addresses here. */
import { Text } from "@mantine/core";
import type { Network } from "@pi-netboot/api";
import { Ago } from "../../components/ago.tsx";
import { Panel } from "../../components/panel.tsx";
import classes from "./network.module.css";

export function OtherServers({ network }: { readonly network: Network }) {
	const { otherDhcpServers: others, mode } = network;
	return (
		<Panel
			title="Other DHCP servers"
			lead="Mostly the router. Where this server stands beside it, it gives the Pis their addresses."
		>
			{others.length === 0 ? (
				<Text size="sm">
					None has answered.{" "}
					{mode === "proxy" &&
						"Pis need one for their addresses; without a router here, let this server give the addresses."}
				</Text>
			) : (
				<ul className={classes.plain}>
					{others.map((other) => (
						<li key={`${other.address} ${other.interface}`}>
							<Text size="sm">
								<Text span ff="monospace" inherit>
									{other.address}
								</Text>{" "}
								<Text span c="dimmed" inherit>
									{other.interface !== undefined && `on ${other.interface}, `}heard <Ago at={other.lastSeenAt} />
								</Text>
							</Text>
						</li>
					))}
				</ul>
			)}
		</Panel>
	);
}
