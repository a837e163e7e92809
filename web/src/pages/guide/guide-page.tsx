/** From nothing to a Pi that runs: an image, the Pi's one setting, its arrival. */
import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import type { Device, Image } from "@pi-netboot/api";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { devicesQuery, imagesQuery } from "../../api/queries.ts";
import { useNow } from "../../components/ago.tsx";
import { Columns } from "../../components/columns.tsx";
import { FindingNote } from "../../components/findings.tsx";
import { PageFrame } from "../../components/page-frame.tsx";
import { Panel } from "../../components/panel.tsx";
import { ServerTrouble } from "../../components/server-trouble.tsx";
import { StageBar } from "../../components/stage-bar.tsx";
import { isVirtual, modelText } from "../../words/models.ts";
import { statusOf } from "../../words/status.ts";
import { EnableNetboot } from "./enable-netboot.tsx";
import { Steps } from "./steps.tsx";
import { VirtualPi } from "./virtual-pi.tsx";

export function GuidePage() {
	const { data: images = [] } = useQuery(imagesQuery);
	const { data: devices = [] } = useQuery(devicesQuery);
	const ready = images.some(({ state }) => state === "ready");
	const booted = devices.some(({ stage }) => stage === "userspace" || stage === "agent");
	const step = !ready ? 0 : booted ? 3 : 1;
	return (
		<PageFrame title="Set-up guide" lead="Three steps to a Pi that boots from the network.">
			<ServerTrouble />
			<Steps names={["An image", "Network boot", "Power on"]} done={step} />
			<Columns>
				<Stack>
					<Panel title="1. Choose an image" lead="What the Pis shall run.">
						{ready ? (
							<Images count={images.length} name={images.find(({ isDefault }) => isDefault)?.name} />
						) : (
							<NoImage images={images} />
						)}
					</Panel>
					<Panel title="2. Let your Pi boot from the network" lead="Once for each Pi. Which one is it?">
						<EnableNetboot />
					</Panel>
				</Stack>
				<Stack>
					<Panel
						title="3. Connect it and switch it on"
						lead="With a network cable to the same network as this server. It appears here by itself."
					>
						<Arrivals devices={devices} />
						{booted && (
							<Group gap="sm">
								<Text size="sm">That is all: each Pi that you switch on now comes by itself.</Text>
								<Button component={Link} to="/devices" size="xs" variant="default">
									To the Pis
								</Button>
							</Group>
						)}
					</Panel>
					<Panel
						title="No Pi at hand?"
						lead="A virtual one shows how it goes: it boots from this server as a real one does."
					>
						<VirtualPi canBoot={ready} />
					</Panel>
				</Stack>
			</Columns>
		</PageFrame>
	);
}

function NoImage({ images }: { readonly images: readonly Image[] }) {
	return (
		<Group gap="sm">
			<Text size="sm">{whyNoImage(images)}</Text>
			<Button component={Link} to="/images" size="xs">
				To the images
			</Button>
		</Group>
	);
}

function whyNoImage(images: readonly Image[]): string {
	if (images.length === 0) return "There is none yet. Drop a file, or choose one from the catalogue.";
	const isArriving = images.some(({ state }) => state === "importing");
	return isArriving ? "One is on its way." : "None can be booted; beside each stands why.";
}

function Images({ count, name }: { readonly count: number; readonly name: string | undefined }) {
	return (
		<Text size="sm">
			{count === 1 ? "There is one" : `There are ${count}`}: new Pis get {name ?? "the newest"}.{" "}
			<Anchor component={Link} to="/images" inherit underline="always">
				All images
			</Anchor>
		</Text>
	);
}

/** Pis that are shown at most. */
const ARRIVALS = 3;

/** The last ones that asked for something. */
function Arrivals({ devices }: { readonly devices: readonly Device[] }) {
	const now = useNow();
	const last = devices.toSorted((a, b) => seenAt(b) - seenAt(a)).slice(0, ARRIVALS);
	if (last.length === 0) return <Text size="sm">Waiting for the first one…</Text>;
	return (
		// Of each only what changes is read out, and of a herd nothing.
		<Stack
			role="status"
			aria-label="Pis that arrived"
			aria-atomic={false}
			aria-live={devices.length > ARRIVALS ? "off" : "polite"}
		>
			{last.map((device) => {
				const status = statusOf(device, now);
				return (
					<Stack key={device.id} gap={6}>
						<Group gap="xs">
							<Anchor component={Link} to={`/devices/${device.id}`} fw={600} size="sm">
								{device.name}
							</Anchor>
							<Text size="sm" c="dimmed">
								{[isVirtual(device) && "virtual", device.model !== null && modelText(device.model)]
									.filter(Boolean)
									.join(" ")}
							</Text>
							{device.diagnosis === undefined && <Text size="sm">{status.sentence}</Text>}
						</Group>
						<StageBar reached={device.stages} state={status.kind} labelled />
						{device.diagnosis !== undefined && <FindingNote finding={device.diagnosis} />}
					</Stack>
				);
			})}
		</Stack>
	);
}

const seenAt = ({ stages }: Device): number => stages.at(-1)?.at ?? 0;
