/** Where the server stands in the network, and what of it runs. */
import { Skeleton, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { networkQuery } from "../../api/queries.ts";
import { Columns } from "../../components/columns.tsx";
import { PageFrame } from "../../components/page-frame.tsx";
import { Problem } from "../../components/problem.tsx";
import { Interfaces } from "./interfaces.tsx";
import { Leases } from "./leases.tsx";
import { OtherServers } from "./other-servers.tsx";
import { ServicesPanel } from "./services-panel.tsx";
import { SettingsForm } from "./settings-form.tsx";

export function NetworkPage() {
	const { data: network, error, refetch } = useQuery(networkQuery);
	return (
		<PageFrame title="Network" lead="How the Pis reach this server.">
			<Problem error={error} title="The network cannot be shown" onRetry={() => void refetch()} />
			<ServicesPanel />
			{network === undefined && error === null && <Skeleton h={240} aria-busy="true" />}
			{network !== undefined && (
				<>
					<Columns>
						<SettingsForm network={network} />
						<Stack>
							<OtherServers network={network} />
							<Interfaces network={network} />
						</Stack>
					</Columns>
					{network.leases.length > 0 && <Leases leases={network.leases} count={network.leaseCount} />}
				</>
			)}
		</PageFrame>
	);
}
