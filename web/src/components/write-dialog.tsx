/** Orders a write, and says first what is lost by it. */
import { Alert, Button, Group, Radio, Select, Stack, Text, TextInput } from "@mantine/core";
import type { AgentDisk, Device } from "@pi-netboot/api";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask } from "../api/client.ts";
import { imagesQuery } from "../api/queries.ts";
import { bytesText } from "../words/bytes.ts";
import { diskContent, isEmptyDisk } from "../words/disks.ts";
import { modelText } from "../words/models.ts";
import { Dialog } from "./dialog.tsx";
import { AlertIcon } from "./icons.tsx";
import { Problem } from "./problem.tsx";

interface WriteDialogProps {
	readonly device: Device;
	readonly opened: boolean;
	readonly onClose: () => void;
}

export function WriteDialog({ device, opened, onClose }: WriteDialogProps) {
	return (
		<Dialog opened={opened} onClose={onClose} title={`Write to a disk of ${device.name}`} size="lg">
			<WriteForm device={device} onDone={onClose} />
		</Dialog>
	);
}

type Verify = "full" | "sample" | "none";

function WriteForm({ device, onDone }: { readonly device: Device; readonly onDone: () => void }) {
	const disks = device.agent?.inventory.disks ?? [];
	const free = disks.filter(({ readOnly, use }) => !readOnly && use === null);
	const { data: images = [] } = useQuery(imagesQuery);
	const ready = images.filter(({ state }) => state === "ready");
	const own = ready.find((one) => (device.imageId === null ? one.isDefault : one.id === device.imageId));
	const [path, setPath] = useState(free.length === 1 ? (free[0]?.path ?? "") : "");
	const [imageId, setImageId] = useState<string | null>(null);
	const [verify, setVerify] = useState<Verify>("full");
	const [typed, setTyped] = useState("");
	const disk = free.find((one) => one.path === path);
	const image = imageId ?? own?.id;
	const order = useMutation({
		mutationFn: ({ path: diskPath, size, identity }: AgentDisk) =>
			ask("startWrite", {
				params: { id: device.id },
				body: { imageId: image ?? null, target: { path: diskPath, size, identity }, confirm: true, verify },
			}),
		onSuccess: onDone,
	});
	if (disks.length === 0) return <Text size="sm">The Pi has said that there is no disk in it.</Text>;
	const mustType = disk !== undefined && !isEmptyDisk(disk);
	const isSure = disk !== undefined && image !== undefined && (!mustType || typed.trim() === device.name);
	const submit = (event: FormEvent) => {
		event.preventDefault();
		if (isSure) order.mutate(disk);
	};
	return (
		<form onSubmit={submit}>
			<Stack>
				<Radio.Group label="Disk" value={path} onChange={setPath}>
					<Stack gap="xs" mt={4}>
						{disks.map((one) => (
							<DiskChoice key={one.path} disk={one} />
						))}
					</Stack>
				</Radio.Group>
				<Select
					label="Image"
					data={ready.map(({ id, name }) => ({ value: id, label: name }))}
					value={image ?? null}
					onChange={setImageId}
					allowDeselect={false}
				/>
				<Select
					label="Read back and compare"
					data={[
						{ value: "full", label: "Everything" },
						{ value: "sample", label: "A part" },
						{ value: "none", label: "Nothing: what arrives is checked all the same" },
					]}
					value={verify}
					onChange={(value) => setVerify(value as Verify)}
					allowDeselect={false}
				/>
				{disk !== undefined && <Warning device={device} disk={disk} />}
				{mustType && (
					<TextInput
						label={`Type the Pi's name, ${device.name}, to go on`}
						value={typed}
						onChange={({ currentTarget }) => setTyped(currentTarget.value)}
						autoComplete="off"
					/>
				)}
				<Problem error={order.error} title="Nothing was written" />
				<Group justify="flex-end" gap="xs">
					<Button variant="default" onClick={onDone}>
						Cancel
					</Button>
					<Button type="submit" color="red" disabled={!isSure} loading={order.isPending}>
						I understand - write now
					</Button>
				</Group>
			</Stack>
		</form>
	);
}

function DiskChoice({ disk }: { readonly disk: AgentDisk }) {
	const { path, model, size, readOnly, use } = disk;
	const why = use?.message ?? (readOnly ? "It cannot be written: it is read only." : undefined);
	return (
		<Radio
			value={path}
			disabled={why !== undefined}
			label={`${model || "Disk"}, ${bytesText(size)} (${path})`}
			description={why ?? diskContent(disk)}
		/>
	);
}

function Warning({ device, disk }: { readonly device: Device; readonly disk: AgentDisk }) {
	const model = device.modelName ?? (device.model === null ? "this Pi" : modelText(device.model));
	return (
		<Alert color="red" variant="light" icon={<AlertIcon />} title="All that is on the disk is lost">
			<Text size="sm">
				{disk.model || disk.path}, {bytesText(disk.size)}, in {device.name} ({model}).
			</Text>
			<Text size="sm">On it now: {diskContent(disk)}.</Text>
		</Alert>
	);
}
