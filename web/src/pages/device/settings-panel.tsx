/** What a person sets for one Pi: it holds from its next boot on. */
import { NativeSelect, Stack, TagsInput, Text, TextInput } from "@mantine/core";
import type { Device, DeviceChanges, Intent, RootMode } from "@pi-netboot/api";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ask } from "../../api/client.ts";
import { imagesQuery, rootQuery } from "../../api/queries.ts";
import { AmountInput } from "../../components/amount-input.tsx";
import { Fields } from "../../components/fields.tsx";
import { Panel } from "../../components/panel.tsx";
import { RootModeChoice } from "../../components/root-mode-choice.tsx";
import { SaveBar } from "../../components/save-bar.tsx";
import { useSavedDraft } from "../../hooks/use-saved-draft.ts";
import { intents } from "../../words/stages.ts";

interface Draft {
	readonly name: string;
	readonly imageId: string | null;
	readonly rootMode: RootMode;
	readonly intent: Intent;
	readonly writeTarget: string;
	readonly tags: readonly string[];
	/** Gigabytes; empty: the default. */
	readonly quota: number | "";
}

const fieldNames: Readonly<Record<keyof Draft, string>> = {
	name: "name",
	imageId: "image",
	rootMode: "root",
	intent: "when it is switched on",
	writeTarget: "disk to be written",
	tags: "tags",
	quota: "most that its root may hold",
};

const GIGABYTE = 1e9;

function draftOf({ name, imageId, rootMode, intent, writeTarget, tags, quotaBytes }: Device): Draft {
	const quota = quotaBytes === null ? "" : quotaBytes / GIGABYTE;
	return { name, imageId, rootMode, intent, tags, quota, writeTarget: writeTarget ?? "" };
}

function changesOf(device: Device, draft: Draft): DeviceChanges {
	const now = draftOf(device);
	const { name, imageId, rootMode, intent, writeTarget, quota } = draft;
	const isTarget = intent === "write-then-disk" && (writeTarget !== now.writeTarget || intent !== now.intent);
	return {
		...(name !== now.name && { name }),
		...(imageId !== now.imageId && { imageId }),
		...(rootMode !== now.rootMode && { rootMode }),
		...(intent !== now.intent && { intent }),
		...(isTarget && { writeTarget }),
		...(quota !== now.quota && { quotaBytes: quota === "" ? null : Math.round(quota * GIGABYTE) }),
		...(draft.tags.join() !== now.tags.join() && { tags: [...draft.tags] }),
	};
}

export function SettingsPanel({ device }: { readonly device: Device }) {
	const client = useQueryClient();
	const { shown, set, discard, overtaken, save, submit } = useSavedDraft(draftOf(device), async (draft) => {
		const { id } = device;
		await ask("changeDevice", { params: { id }, body: changesOf(device, draft) });
		// It tells how much it may hold, of which no event comes.
		void client.invalidateQueries({ queryKey: rootQuery(id).queryKey });
	});
	return (
		<Panel title="Settings" lead="They hold from the next boot on.">
			<form onSubmit={submit}>
				<Stack>
					<Fields>
						<TextInput
							label="Name"
							description="Small letters, digits and dashes"
							value={shown.name}
							onChange={({ currentTarget }) => set({ name: currentTarget.value })}
						/>
						<TagsInput
							label="Tags"
							description="To find it by; Enter ends each"
							value={[...shown.tags]}
							onChange={(tags) => set({ tags })}
							maxTags={16}
						/>
					</Fields>
					<ImageSelect value={shown.imageId} onChange={(imageId) => set({ imageId })} />
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
					<RootModeChoice label="Its root" value={shown.rootMode} onChange={(rootMode) => set({ rootMode })} />
					<AmountInput
						label="Most that its root may hold"
						description="In gigabytes; empty: as the settings say, 0: no limit"
						value={shown.quota}
						onChange={(quota) => set({ quota })}
					/>
					<SaveBar
						isChanged={Object.keys(changesOf(device, shown)).length > 0}
						save={save}
						overtaken={overtaken.map((key) => fieldNames[key])}
						onDiscard={discard}
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
			description="What it boots"
			value={value ?? ""}
			onChange={({ currentTarget }) => onChange(currentTarget.value === "" ? null : currentTarget.value)}
			data={[
				{ value: "", label: byDefault === undefined ? "The default image" : `${byDefault.name} (the default)` },
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
