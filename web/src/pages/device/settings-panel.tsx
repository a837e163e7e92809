/** What a person sets for one Pi: it holds from its next boot on. */
import { NativeSelect, Stack, TagsInput, Text, TextInput } from "@mantine/core";
import type { Device, DeviceChanges, Intent, RootMode } from "@pi-netboot/api";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask } from "../../api/client.ts";
import { imagesQuery } from "../../api/queries.ts";
import { Panel } from "../../components/panel.tsx";
import { Problem } from "../../components/problem.tsx";
import { RootModeChoice } from "../../components/root-mode-choice.tsx";
import { SaveBar } from "../../components/save-bar.tsx";
import { intents } from "../../words/stages.ts";

interface Draft {
	readonly name: string;
	readonly imageId: string | null;
	readonly rootMode: RootMode;
	readonly intent: Intent;
	readonly writeTarget: string;
	readonly tags: readonly string[];
}

function draftOf({ name, imageId, rootMode, intent, writeTarget, tags }: Device): Draft {
	return { name, imageId, rootMode, intent, tags, writeTarget: writeTarget ?? "" };
}

function changesOf(device: Device, draft: Draft): DeviceChanges {
	const now = draftOf(device);
	const { name, imageId, rootMode, intent, writeTarget } = draft;
	const isTarget = intent === "write-then-disk" && (writeTarget !== now.writeTarget || intent !== now.intent);
	return {
		...(name !== now.name && { name }),
		...(imageId !== now.imageId && { imageId }),
		...(rootMode !== now.rootMode && { rootMode }),
		...(intent !== now.intent && { intent }),
		...(isTarget && { writeTarget }),
		...(draft.tags.join() !== now.tags.join() && { tags: [...draft.tags] }),
	};
}

export function SettingsPanel({ device }: { readonly device: Device }) {
	const [draft, setDraft] = useState<Draft>();
	const shown = draft ?? draftOf(device);
	const changes = changesOf(device, shown);
	const isChanged = Object.keys(changes).length > 0;
	const save = useMutation({
		mutationFn: () => ask("changeDevice", { params: { id: device.id }, body: changes }),
		onSuccess: () => setDraft(undefined),
	});
	const set = (part: Partial<Draft>) => setDraft({ ...shown, ...part });
	const submit = (event: FormEvent) => {
		event.preventDefault();
		save.mutate();
	};
	return (
		<Panel title="Settings" lead="They hold from the next boot on.">
			<form onSubmit={submit}>
				<Stack>
					<TextInput
						label="Name"
						description="Its host name: small letters, digits and dashes"
						value={shown.name}
						onChange={({ currentTarget }) => set({ name: currentTarget.value })}
					/>
					<TagsInput
						label="Tags"
						description="Words to find it by; Enter ends each"
						value={[...shown.tags]}
						onChange={(tags) => set({ tags })}
						maxTags={16}
					/>
					<ImageSelect value={shown.imageId} onChange={(imageId) => set({ imageId })} />
					<RootModeChoice label="Its root" value={shown.rootMode} onChange={(rootMode) => set({ rootMode })} />
					<NativeSelect
						label="When it is switched on"
						description={intents[shown.intent].meaning}
						data={Object.entries(intents).map(([value, { name }]) => ({ value, label: name }))}
						value={shown.intent}
						onChange={({ currentTarget }) => set({ intent: currentTarget.value as Intent })}
					/>
					{shown.intent === "write-then-disk" && (
						<TargetSelect device={device} value={shown.writeTarget} onChange={(writeTarget) => set({ writeTarget })} />
					)}
					{shown.intent !== "netboot" && (
						<Text size="sm" c="dimmed">
							A Pi that tries its own disk first and finds a system there does not ask this server any more.
						</Text>
					)}
					<Problem error={save.error} title="Nothing was changed" />
					<SaveBar
						isChanged={isChanged}
						isSaving={save.isPending}
						isSaved={save.isSuccess}
						onDiscard={() => setDraft(undefined)}
					/>
				</Stack>
			</form>
		</Panel>
	);
}

interface ImageSelectProps {
	readonly value: string | null;
	readonly onChange: (id: string | null) => void;
}

function ImageSelect({ value, onChange }: ImageSelectProps) {
	const { data: images = [] } = useQuery(imagesQuery);
	const byDefault = images.find(({ isDefault }) => isDefault);
	const ready = images.filter(({ id, state }) => state === "ready" || id === value);
	return (
		<NativeSelect
			label="Image"
			value={value ?? ""}
			onChange={({ currentTarget }) => onChange(currentTarget.value === "" ? null : currentTarget.value)}
			data={[
				{ value: "", label: `The default image${byDefault === undefined ? "" : ` (${byDefault.name})`}` },
				...ready.map(({ id, name }) => ({ value: id, label: name })),
			]}
		/>
	);
}

interface TargetSelectProps {
	readonly device: Device;
	readonly value: string;
	readonly onChange: (path: string) => void;
}

function TargetSelect({ device, value, onChange }: TargetSelectProps) {
	const known = device.agent?.inventory.disks.map(({ path }) => path) ?? [];
	const common = ["/dev/mmcblk0", "/dev/nvme0n1", "/dev/sda"];
	const paths = [...new Set([...known, ...common])];
	return (
		<NativeSelect
			label="Disk to be written"
			description="All that is on it is lost."
			value={value}
			onChange={({ currentTarget }) => onChange(currentTarget.value)}
			data={[{ value: "", label: "Choose one" }, ...paths.map((path) => ({ value: path, label: path }))]}
		/>
	);
}
