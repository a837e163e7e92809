/** Orders a write on several Pis, each confirmed as one alone is: its model, its disk, and what is lost on it. */
import { Alert, NativeSelect, Select, Stack, Text, TextInput } from "@mantine/core";
import type { AgentDisk, Device, Image } from "@pi-netboot/api";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask } from "../../api/client.ts";
import { imagesQuery } from "../../api/queries.ts";
import { Dialog } from "../../components/dialog.tsx";
import { AlertIcon } from "../../components/icons.tsx";
import { Problem } from "../../components/problem.tsx";
import { WriteEnd } from "../../components/write-end.tsx";
import { bytesText } from "../../words/bytes.ts";
import { type Confirmation, isConfirmed, NOT_CONFIRMED, typedFor, typedText } from "../../words/confirmation.ts";
import { diskContent, diskName, isEmptyDisk, whyNotWritten } from "../../words/disks.ts";
import { fullModelText, namesText } from "../../words/models.ts";
import classes from "./devices.module.css";
import { SeveralProgress } from "./several-progress.tsx";
import { useSeveral, useSeveralPending } from "./use-several.ts";

interface WriteSeveralProps {
	readonly chosen: readonly Device[];
	readonly onDone: () => void;
	readonly onClose: () => void;
}

export default function WriteSeveral({ chosen, onDone, onClose }: WriteSeveralProps) {
	const online = chosen.filter(({ agent }) => agent?.online === true);
	const away = chosen.filter((device) => !online.includes(device));
	const isPending = useSeveralPending();
	const title = `Write to the disks of ${online.length === 1 ? "1 Pi" : `${online.length} Pis`}`;
	return (
		<Dialog opened onClose={() => isPending || onClose()} title={title} size="lg">
			<WriteForm devices={online} away={away} onDone={onDone} onClose={onClose} />
		</Dialog>
	);
}

/** What was chosen and typed for a Pi. */
interface Choice {
	readonly path: string;
	readonly typed: Confirmation;
}

/** A Pi, the disk of it that is written, and what is needed to order that. */
interface Target {
	readonly id: string;
	readonly name: string;
	readonly imageId: string;
	readonly disk: AgentDisk;
	readonly isSure: boolean;
}

interface WriteFormProps {
	readonly devices: readonly Device[];
	/** Those of the chosen ones that cannot say which disks they have now. */
	readonly away: readonly Device[];
	readonly onDone: () => void;
	readonly onClose: () => void;
}

function WriteForm({ devices, away, onDone, onClose }: WriteFormProps) {
	const { data: images = [] } = useQuery(imagesQuery);
	const ready = images.filter(({ state, diskBytes }) => state === "ready" && diskBytes !== null);
	const [imageId, setImageId] = useState("");
	const [choices, setChoices] = useState<Readonly<Record<string, Choice>>>({});
	const [ordered, setOrdered] = useState<readonly string[]>([]);
	const open = devices.filter(({ id }) => !ordered.includes(id));
	const imageOf = (device: Device) => {
		const wanted = imageId || device.imageId;
		return ready.find((one) => (wanted === null ? one.isDefault : one.id === wanted));
	};
	const choiceOf = (device: Device) => choices[device.id] ?? firstChoice(device, imageOf(device));
	const targets = open.flatMap((device) => targetOf(device, choiceOf(device), imageOf(device)));
	const start = async ({ id, imageId: image, disk: { path, size, identity } }: Target) => {
		const target = { path, size, identity };
		await ask("startWrite", { params: { id }, body: { imageId: image, target, confirm: true } });
		setOrdered((before) => [...before, id]);
	};
	const order = useSeveral(targets, start, onDone);
	const isSure = targets.length > 0 && targets.every((target) => target.isSure);
	const submit = (event: FormEvent) => {
		event.preventDefault();
		if (isSure) order.mutate();
	};
	return (
		<form onSubmit={submit}>
			<Stack>
				<Select
					label="Image"
					data={[
						{ value: "", label: "For each its own" },
						...ready.map(({ id, name }) => ({ value: id, label: name })),
					]}
					value={imageId}
					onChange={(value) => setImageId(value ?? "")}
					allowDeselect={false}
				/>
				<Alert color="red" variant="light" icon={<AlertIcon />} title="All that is on these disks is lost" />
				{away.length > 0 && <Text size="sm">Left out: {namesText(away.map(({ name }) => name))}, not heard now.</Text>}
				<ul className={classes.targets}>
					{open.map((device) => (
						<TargetItem
							key={device.id}
							device={device}
							choice={choiceOf(device)}
							image={imageOf(device)}
							onChange={(choice) => setChoices({ ...choices, [device.id]: choice })}
						/>
					))}
				</ul>
				<Problem error={order.error} title="Not all are written" />
				<SeveralProgress progress={order.progress} />
				<WriteEnd isSure={isSure} isPending={order.isPending} onCancel={onClose} />
			</Stack>
		</form>
	);
}

interface TargetItemProps {
	readonly device: Device;
	readonly choice: Choice;
	/** That it gets; undefined where there is none that is ready. */
	readonly image: Image | undefined;
	readonly onChange: (choice: Choice) => void;
}

function TargetItem({ device, choice, image, onChange }: TargetItemProps) {
	const disks = freeDisks(device, image);
	const disk = disks.find(({ path }) => path === choice.path);
	const model = fullModelText(device) ?? "model not known";
	return (
		<li>
			<NativeSelect
				label={`${device.name} (${model})`}
				description={disks.length === 0 ? whyNone(device, image) : undefined}
				value={choice.path}
				onChange={({ currentTarget }) => onChange({ path: currentTarget.value, typed: NOT_CONFIRMED })}
				data={[
					{ value: "", label: "Not this one" },
					...disks.map((one) => ({ value: one.path, label: `${diskName(one)}, ${bytesText(one.size)} (${one.path})` })),
				]}
			/>
			{disk !== undefined && (
				<Text size="sm" my={4}>
					On it now: {diskContent(disk)}.
				</Text>
			)}
			{disk !== undefined && !isEmptyDisk(disk) && (
				<TextInput
					aria-label={`Type the Pi's name, ${device.name}, to go on`}
					placeholder={`Type ${device.name} to go on`}
					value={typedText(disk, choice.typed)}
					onChange={({ currentTarget }) => onChange({ ...choice, typed: typedFor(disk, currentTarget.value) })}
					autoComplete="off"
					autoCapitalize="none"
					spellCheck={false}
				/>
			)}
		</li>
	);
}

function disksOf({ agent }: Device): readonly AgentDisk[] {
	return agent?.inventory.disks ?? [];
}

function freeDisks(device: Device, image: Image | undefined): AgentDisk[] {
	return disksOf(device).filter((disk) => whyNotWritten(disk, image) === undefined);
}

/** Where there is one disk, what is wrong with it. */
function whyNone(device: Device, image: Image | undefined): string {
	const [first, ...others] = disksOf(device);
	if (first === undefined) return "There is no disk in it.";
	return (others.length === 0 && whyNotWritten(first, image)) || "It has no disk that can be written.";
}

/** The only disk, where there is one; which of several is a person's to say. */
function firstChoice(device: Device, image: Image | undefined): Choice {
	const disks = freeDisks(device, image);
	return { path: disks.length === 1 ? (disks[0]?.path ?? "") : "", typed: NOT_CONFIRMED };
}

function targetOf(device: Device, { path, typed }: Choice, image: Image | undefined): Target[] {
	const disk = freeDisks(device, image).find((one) => one.path === path);
	if (disk === undefined || image === undefined) return [];
	return [{ id: device.id, name: device.name, imageId: image.id, disk, isSure: isConfirmed(disk, device.name, typed) }];
}
