/** The addresses that the server gave out. */
import { Anchor, Table } from "@mantine/core";
import type { Lease } from "@pi-netboot/api";
import { Link } from "@tanstack/react-router";
import { useNow } from "../../components/ago.tsx";
import { Panel } from "../../components/panel.tsx";
import { agoText, dateTimeText } from "../../words/time.ts";

const states: Readonly<Record<Lease["state"], string>> = {
	offered: "Offered",
	leased: "In use",
	released: "Given back",
	declined: "Kept out: somebody else has it",
	"in-use": "Kept out: somebody else has it",
};

/** What is over stays in the list: its owner gets the same address again. */
function stateText({ state, expiresAt }: Lease, now: number): string {
	if (expiresAt > now) return states[state];
	if (state === "offered") return "Offered, not taken";
	return state === "leased" ? "Was in use" : states[state];
}

export function Leases({ leases, count }: { readonly leases: readonly Lease[]; readonly count: number }) {
	const now = useNow();
	return (
		<Panel
			title={`Addresses given out: ${count}${count > leases.length ? `, the first ${leases.length} of them` : ""}`}
		>
			<Table.ScrollContainer minWidth={240} maxHeight="28rem" type="native">
				<Table stickyHeader verticalSpacing={6} horizontalSpacing={8}>
					<Table.Thead>
						<Table.Tr>
							<Table.Th>Address</Table.Th>
							<Table.Th>Whose</Table.Th>
							<Table.Th visibleFrom="sm">MAC</Table.Th>
							<Table.Th visibleFrom="xs">State</Table.Th>
							<Table.Th>Ends</Table.Th>
						</Table.Tr>
					</Table.Thead>
					<Table.Tbody>
						{leases.map((lease) => (
							<Table.Tr key={lease.address}>
								<Table.Td ff="monospace">{lease.address}</Table.Td>
								<Table.Td>
									{lease.deviceId !== null && (
										<Anchor component={Link} to={`/devices/${lease.deviceId}`} size="sm">
											{lease.name ?? lease.deviceId}
										</Anchor>
									)}
								</Table.Td>
								<Table.Td ff="monospace" fz="xs" c="dimmed" visibleFrom="sm">
									{lease.mac}
								</Table.Td>
								<Table.Td visibleFrom="xs">{stateText(lease, now)}</Table.Td>
								<Table.Td title={dateTimeText(lease.expiresAt)}>{agoText(lease.expiresAt, now)}</Table.Td>
							</Table.Tr>
						))}
					</Table.Tbody>
				</Table>
			</Table.ScrollContainer>
		</Panel>
	);
}
