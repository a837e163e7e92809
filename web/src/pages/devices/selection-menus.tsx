/** What several Pis are to boot next: the image, and what becomes of what they change. */
import { Button, Menu, Text } from "@mantine/core";
import type { Device } from "@pi-netboot/api";
import { useQuery } from "@tanstack/react-query";
import { imagesQuery } from "../../api/queries.ts";
import { rootModes } from "../../words/stages.ts";

export function ImageMenu({
	isPending,
	onChoose,
}: {
	readonly isPending: boolean;
	readonly onChoose: (id: string | null) => void;
}) {
	const { data: images = [] } = useQuery(imagesQuery);
	return (
		<Menu shadow="md" position="top-start">
			<Menu.Target>
				<Button size="xs" variant="default" loading={isPending}>
					Image
				</Button>
			</Menu.Target>
			<Menu.Dropdown mah="60vh" style={{ overflow: "auto" }}>
				<Menu.Label>At their next boot</Menu.Label>
				<Menu.Item onClick={() => onChoose(null)}>The default image</Menu.Item>
				{images
					.filter(({ state }) => state === "ready")
					.map(({ id, name }) => (
						<Menu.Item key={id} onClick={() => onChoose(id)}>
							{name}
						</Menu.Item>
					))}
			</Menu.Dropdown>
		</Menu>
	);
}

export function ModeMenu({ onChoose }: { readonly onChoose: (mode: Device["rootMode"]) => void }) {
	const modes = Object.keys(rootModes) as Device["rootMode"][];
	return (
		<Menu shadow="md" position="top-start">
			<Menu.Target>
				<Button size="xs" variant="default">
					Root
				</Button>
			</Menu.Target>
			<Menu.Dropdown>
				<Menu.Label>At their next boot</Menu.Label>
				{modes.map((mode) => (
					<Menu.Item key={mode} onClick={() => onChoose(mode)}>
						{rootModes[mode].name}
						<Text size="xs" c="dimmed">
							{rootModes[mode].meaning}
						</Text>
					</Menu.Item>
				))}
			</Menu.Dropdown>
		</Menu>
	);
}
