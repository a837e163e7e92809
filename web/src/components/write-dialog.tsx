/** Orders a write, and says first what is lost by it. */
import { Alert, Radio, Select, Stack, Text, TextInput } from "@mantine/core";
import type { AgentDisk, Device, DeviceAgent, Image } from "@pi-netboot/api";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask } from "../api/client.ts";
import { imagesQuery } from "../api/queries.ts";
import { bytesText } from "../words/bytes.ts";
import { isConfirmed, NOT_CONFIRMED, typedFor, typedText } from "../words/confirmation.ts";
import { diskContent, diskName, isEmptyDisk, whyNotWritten } from "../words/disks.ts";
import { fullModelText } from "../words/models.ts";
import { Dialog } from "./dialog.tsx";
import { AlertIcon } from "./icons.tsx";
import { Problem } from "./problem.tsx";
import { WriteEnd } from "./write-end.tsx";

interface WriteDialogProps {
	readonly device: Device;
	readonly opened: boolean;
	readonly onClose: () => void;
}

export function WriteDialog({ device, opened, onClose }: WriteDialogProps) {
	return (
		<Dialog opened={opened} onClose={onClose} title={`Write to a disk of ${device.name}`} size="lg">
			{device.agent !== null && <WriteForm device={device} agent={device.agent} onDone={onClose} />}
		</Dialog>
	);
}

type Verify = "full" | "sample" | "none";

interface WriteFormProps {
	readonly device: Device;
	readonly agent: DeviceAgent;
	readonly onDone: () => void;
}

function WriteForm({ device, agent, onDone }: WriteFormProps) {
	const { disks } = agent.inventory;
	const { data: images = [] } = useQuery(imagesQuery);
	const ready = images.filter(({ state, diskBytes }) => state === "ready" && diskBytes !== null);
	const [imageId, setImageId] = useState(device.imageId);
	const image = ready.find((one) => (imageId === null ? one.isDefault : one.id === imageId));
	const free = disks.filter((one) => whyNotWritten(one, image) === undefined);
	const [chosen, setChosen] = useState<string>();
	const disk = chosen === undefined && free.length === 1 ? free[0] : free.find(({ path }) => path === chosen);
	const [verify, setVerify] = useState<Verify>("full");
	const [typed, setTyped] = useState(NOT_CONFIRMED);
	const order = useMutation({
		mutationFn: ({ disk: { path, size, identity }, image: { id } }: { disk: AgentDisk; image: Image }) =>
			ask("startWrite", {
				params: { id: device.id },
				body: { imageId: id, target: { path, size, identity }, confirm: true, verify },
			}),
		onSuccess: onDone,
	});
	if (disks.length === 0) return <Text size="sm">The Pi has said that there is no disk in it.</Text>;
	const mustType = disk !== undefined && !isEmptyDisk(disk);
	const isSure = disk !== undefined && isConfirmed(disk, device.name, typed);
	const choose = (path: string) => {
		setChosen(path);
		setTyped(NOT_CONFIRMED);
	};
	const submit = (event: FormEvent) => {
		event.preventDefault();
		if (image !== undefined && isSure) order.mutate({ disk, image });
	};
	return (
		<form onSubmit={submit}>
			<Stack>
				<Select
					label="Image"
					data={ready.map(({ id, name }) => ({ value: id, label: name }))}
					value={image?.id ?? null}
					onChange={setImageId}
					allowDeselect={false}
				/>
				<Radio.Group label="Disk" value={disk?.path ?? ""} onChange={choose}>
					<Stack gap="xs" mt={4}>
						{disks.map((one) => (
							<DiskChoice key={one.path} disk={one} why={whyNotWritten(one, image)} />
						))}
					</Stack>
				</Radio.Group>
				<VerifyChoice value={verify} onChange={setVerify} />
				{disk !== undefined && image !== undefined && <Warning device={device} disk={disk} image={image} />}
				{mustType && (
					<TextInput
						label={`Type the Pi's name, ${device.name}, to go on`}
						value={typedText(disk, typed)}
						onChange={({ currentTarget }) => setTyped(typedFor(disk, currentTarget.value))}
						autoComplete="off"
						autoCapitalize="none"
						spellCheck={false}
					/>
				)}
				{!agent.online && (
					<Text size="sm">{device.name} is not heard now: the write begins when it runs from the network again.</Text>
				)}
				<Problem error={order.error} title="Nothing was written" />
				<WriteEnd isSure={image !== undefined && isSure} isPending={order.isPending} onCancel={onDone} />
			</Stack>
		</form>
	);
}

/** @param why it cannot be written, if it cannot. */
function DiskChoice({ disk, why }: { readonly disk: AgentDisk; readonly why: string | undefined }) {
	return (
		<Radio
			value={disk.path}
			disabled={why !== undefined}
			label={`${diskName(disk)}, ${bytesText(disk.size)} (${disk.path})`}
			description={why ?? diskContent(disk)}
		/>
	);
}

interface VerifyChoiceProps {
	readonly value: Verify;
	readonly onChange: (value: Verify) => void;
}

function VerifyChoice({ value, onChange }: VerifyChoiceProps) {
	return (
		<Select
			label="Read back and compare"
			data={[
				{ value: "full", label: "Everything" },
				{ value: "sample", label: "A part" },
				{ value: "none", label: "Nothing: what arrives is checked all the same" },
			]}
			value={value}
			onChange={(chosen) => onChange(chosen as Verify)}
			allowDeselect={false}
		/>
	);
}

interface WarningProps {
	readonly device: Device;
	readonly disk: AgentDisk;
	readonly image: Image;
}

function Warning({ device, disk, image }: WarningProps) {
	const model = fullModelText(device) ?? "model not known";
	const title = isEmptyDisk(disk) ? "The whole disk is written" : "All that is on the disk is lost";
	return (
		<Alert color="red" variant="light" icon={<AlertIcon />} title={title}>
			<Text size="sm">
				{diskName(disk)}, {bytesText(disk.size)} ({disk.path}), in {device.name} ({model}).
			</Text>
			<Text size="sm">On it now: {diskContent(disk)}.</Text>
			<Text size="sm">{image.name} comes in its place.</Text>
		</Alert>
	);
}
