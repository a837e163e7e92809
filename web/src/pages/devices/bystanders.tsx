/** Pis that are seen on the network and do not boot from here, and why. */
import { Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { bystandersQuery } from "../../api/queries.ts";
import { Ago } from "../../components/ago.tsx";
import { Panel } from "../../components/panel.tsx";

export function Bystanders() {
	const { data: bystanders = [] } = useQuery(bystandersQuery);
	if (bystanders.length === 0) return null;
	return (
		<Panel
			title="Seen, but not booting from here"
			lead="Machines that the server heard on the network and did not boot."
		>
			<Stack component="ul" gap="sm" m={0} p={0} style={{ listStyle: "none" }}>
				{bystanders.map(({ mac, ip, reason, lastSeenAt }) => (
					<li key={mac}>
						<Group gap="xs">
							<Text size="sm" ff="monospace">
								{mac}
							</Text>
							<Text size="sm" c="dimmed">
								{ip} <Ago at={lastSeenAt} />
							</Text>
						</Group>
						<Text size="sm">{reason}</Text>
					</li>
				))}
			</Stack>
		</Panel>
	);
}
