/** One image: what is in it, who gets it, what is wrong with it. */
import { Badge, Group, Paper, Progress, Stack, Text, Title } from "@mantine/core";
import type { Device, Image } from "@pi-netboot/api";
import { Link } from "@tanstack/react-router";
import { Ago } from "../../components/ago.tsx";
import { Findings } from "../../components/findings.tsx";
import { bytesText } from "../../words/bytes.ts";
import { modelText, namesText } from "../../words/models.ts";
import { ImageActions } from "./image-actions.tsx";
import { ImageBuilds } from "./image-builds.tsx";
import { ImageDetails } from "./image-details.tsx";
import classes from "./images.module.css";

interface ImageCardProps {
	readonly image: Image;
	/** That get it. */
	readonly devices: readonly Device[];
	/** Whether it was chosen for one of them, rather than being the default. */
	readonly isChosen: boolean;
}

/** Names that are said; the others are counted. */
const NAMED = 6;

export function ImageCard({ image, devices, isChosen }: ImageCardProps) {
	const { name, os, state, models, findings, isDefault, usedBy, builds } = image;
	return (
		<Paper component="article" withBorder p="md" aria-label={name}>
			<Stack gap={8}>
				<Group justify="space-between" align="flex-start" wrap="nowrap" gap="xs">
					<div className={classes.name}>
						<Title order={2} size="h5">
							{name}
						</Title>
						{os !== null && <Text size="sm">{os.name}</Text>}
					</div>
					<Group gap={4} justify="flex-end" flex="none" maw="45%">
						{isDefault && (
							<Badge variant="light" flex="none">
								Default
							</Badge>
						)}
						{state === "broken" && (
							<Badge color="red" variant="light" flex="none">
								Broken
							</Badge>
						)}
						<ImageActions image={image} devices={devices} isChosen={isChosen} />
					</Group>
				</Group>
				{state === "importing" && <Arriving image={image} />}
				<Text size="sm" c="dimmed">
					{sizes(image)} · <Ago at={image.modifiedAt} />
				</Text>
				{models.length > 0 && (
					<Group gap={4} aria-label="Boots" role="group">
						{models.map((model) => (
							<Badge key={model} size="sm" variant="light" color="gray" tt="none">
								{modelText(model)}
							</Badge>
						))}
					</Group>
				)}
				{devices.length > 0 && <Users devices={devices} />}
				{usedBy.length > 0 && (
					<Text size="xs" c="dimmed">
						Run it now: {namesText(usedBy, NAMED)}
					</Text>
				)}
				<Findings findings={findings} most={2} />
				<ImageBuilds builds={builds} />
				{state === "ready" && <ImageDetails image={image} />}
			</Stack>
		</Paper>
	);
}

/** Of its file, and of what is in that where it is packed. */
function sizes({ size, usedBytes, diskBytes }: Image): string {
	const unpacked = diskBytes === null || diskBytes === size ? "" : `, ${bytesText(diskBytes)} unpacked`;
	return usedBytes === null ? bytesText(size) : `${bytesText(size)}${unpacked}, ${bytesText(usedBytes)} of it used`;
}

function Arriving({ image: { name, percent, bootable } }: { readonly image: Image }) {
	return (
		<div>
			<Progress value={percent ?? 100} animated={percent === undefined} aria-label={`Arrival of ${name}`} />
			<Text size="xs" c="dimmed">
				{percent === undefined ? "Arriving" : `${percent} % there`}
				{bootable && "; a Pi may boot it already"}
			</Text>
		</div>
	);
}

function Users({ devices }: { readonly devices: readonly Device[] }) {
	return (
		<Group gap={6}>
			<Text size="xs" c="dimmed">
				For
			</Text>
			{devices.slice(0, NAMED).map(({ id, name }) => (
				<Text key={id} size="xs" component={Link} to={`/devices/${id}`} c="var(--mantine-color-anchor)">
					{name}
				</Text>
			))}
			{devices.length > NAMED && <Text size="xs">and {devices.length - NAMED} more</Text>}
		</Group>
	);
}
