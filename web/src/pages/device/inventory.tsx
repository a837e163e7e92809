/** What the program on the Pi says of it. */
import { Badge, Group, Stack, Text } from "@mantine/core";
import type { AgentDisk, DeviceAgent } from "@pi-netboot/api";
import { Ago } from "../../components/ago.tsx";
import { Fact, Facts } from "../../components/facts.tsx";
import { Panel } from "../../components/panel.tsx";
import { bytesText } from "../../words/bytes.ts";
import { diskContent } from "../../words/disks.ts";
import classes from "./device.module.css";

export function Inventory({ agent }: { readonly agent: DeviceAgent }) {
	const { memory, kernel, architecture, os, temperature, bootloader, disks, network } = agent.inventory;
	return (
		<Panel
			title="Hardware and system"
			lead={
				<>
					As the Pi itself said, <Ago at={agent.heardAt} />
				</>
			}
			actions={
				agent.online ? undefined : (
					<Badge variant="light" color="gray">
						Not heard now
					</Badge>
				)
			}
		>
			<Stack>
				<Facts>
					{temperature > 0 && <Fact name="Temperature">{temperature.toFixed(0)} °C</Fact>}
					<Fact name="Memory">{bytesText(memory)}</Fact>
					<Fact name="System">{os}</Fact>
					<Fact name="Kernel">
						{kernel} ({architecture})
					</Fact>
					{bootloader.version !== "" && <Fact name="Bootloader">{bootloader.version}</Fact>}
					{network.map(({ name, address, speed }) => (
						<Fact key={name} name={name}>
							{[address, speed > 0 ? `${speed} Mbit/s` : ""].filter(Boolean).join(", ") || "not connected"}
						</Fact>
					))}
				</Facts>
				<div>
					<Text size="xs" c="dimmed">
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
		</Panel>
	);
}

function Disk({ disk }: { readonly disk: AgentDisk }) {
	const { path, model, size, readOnly, use } = disk;
	return (
		<li>
			<Group gap="xs">
				<Text size="sm" fw={600}>
					{model || path}
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
