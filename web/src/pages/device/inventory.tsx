/** What the program on the Pi says of it. */
import { Badge, Group, Stack, Text, Title } from "@mantine/core";
import type { AgentDisk, DeviceAgent } from "@pi-netboot/api";
import { Ago } from "../../components/ago.tsx";
import { Fact, Facts } from "../../components/facts.tsx";
import { bytesText, memoryText } from "../../words/bytes.ts";
import { diskContent, diskName } from "../../words/disks.ts";
import classes from "./device.module.css";

interface InventoryProps {
	readonly agent: DeviceAgent;
	/** The Pi's own, which need not be said twice. */
	readonly address: string | null;
}

export function Inventory({ agent, address }: InventoryProps) {
	const { memory, kernel, architecture, os, temperature, bootloader, disks, network } = agent.inventory;
	return (
		<Stack>
			<Group justify="space-between" gap="xs">
				<div>
					<Title order={3} size="h5">
						Hardware and system
					</Title>
					<Text size="sm" c="dimmed">
						As the Pi itself said, <Ago at={agent.heardAt} />
					</Text>
				</div>
				{!agent.online && (
					<Badge variant="light" color="gray">
						Not heard now
					</Badge>
				)}
			</Group>
			<Facts>
				{temperature > 0 && <Fact name="Temperature">{temperature.toFixed(0)} °C</Fact>}
				<Fact name="Memory">{memoryText(memory)}</Fact>
				<Fact name="System">{os}</Fact>
				<Fact name="Kernel">
					{kernel} ({architecture})
				</Fact>
				{bootloader.version !== "" && <Fact name="Bootloader">{bootloader.version}</Fact>}
				{network.map((one) => (
					<Fact key={one.name} name={one.name}>
						{connectionText(one, address)}
					</Fact>
				))}
			</Facts>
			<div>
				<Text size="xs" c="dimmed" mb={4}>
					Disks
				</Text>
				{disks.length === 0 ? (
					<Text size="sm">None in it.</Text>
				) : (
					<ul className={classes.plain}>
						{disks.map((disk) => (
							<Disk key={disk.path} disk={disk} />
						))}
					</ul>
				)}
			</div>
		</Stack>
	);
}

/** `1000 Mbit/s`, `192.0.2.21, 100 Mbit/s` */
function connectionText({ address, speed }: DeviceAgent["inventory"]["network"][number], known: string | null): string {
	const parts = [address === known ? "" : address, speed > 0 ? `${speed} Mbit/s` : ""].filter(Boolean);
	return parts.join(", ") || (address === "" ? "Not connected" : "Connected");
}

function Disk({ disk }: { readonly disk: AgentDisk }) {
	const { path, size, readOnly, use } = disk;
	return (
		<li>
			<Group gap="xs">
				<Text size="sm" fw={600}>
					{diskName(disk)}
				</Text>
				<Text size="sm">{bytesText(size)}</Text>
				<Text size="sm" c="dimmed" ff="monospace">
					{path}
				</Text>
				{readOnly && (
					<Badge size="sm" variant="light" color="gray">
						Read only
					</Badge>
				)}
			</Group>
			<Text size="sm" c="dimmed">
				{use?.message ?? diskContent(disk)}
			</Text>
		</li>
	);
}
