/** Root mode, quota and old roots for everybody. */
import { Group, NumberInput, Stack, Text } from "@mantine/core";
import type { Defaults, DefaultsChanges, RootMode } from "@pi-netboot/api";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Problem } from "../../components/problem.tsx";
import { RootModeChoice } from "../../components/root-mode-choice.tsx";
import { SaveBar } from "../../components/save-bar.tsx";
import { bytesText } from "../../words/bytes.ts";

interface DefaultsFormProps {
	readonly defaults: Defaults;
	readonly onSave: (changes: DefaultsChanges) => Promise<void>;
}

const GIGABYTE = 1e9;

interface Draft {
	readonly rootMode: RootMode;
	/** Gigabytes; empty: no limit. */
	readonly quota: number | "";
	readonly kept: number | "";
	/** Empty: for ever. */
	readonly days: number | "";
}

function draftOf({ rootMode, quotaBytes, oldRoots }: Defaults): Draft {
	return {
		rootMode,
		quota: quotaBytes === 0 ? "" : quotaBytes / GIGABYTE,
		kept: oldRoots.kept,
		days: oldRoots.days ?? "",
	};
}

function changesOf(draft: Draft): DefaultsChanges {
	const { rootMode, quota, kept, days } = draft;
	return {
		rootMode,
		quotaBytes: quota === "" ? 0 : Math.round(quota * GIGABYTE),
		oldRoots: { ...(kept !== "" && { kept }), days: days === "" ? null : days },
	};
}

const numberOf = (value: number | string): number | "" => (typeof value === "number" ? value : "");

export function DefaultsForm({ defaults, onSave }: DefaultsFormProps) {
	const [draft, setDraft] = useState<Draft>();
	const shown = draft ?? draftOf(defaults);
	const set = (part: Partial<Draft>) => setDraft({ ...shown, ...part });
	const save = useMutation({
		mutationFn: () => onSave(changesOf(shown)),
		onSuccess: () => setDraft(undefined),
	});
	const submit = (event: FormEvent) => {
		event.preventDefault();
		save.mutate();
	};
	return (
		<form onSubmit={submit}>
			<Stack>
				<RootModeChoice
					label="What a Pi may do with its root"
					value={shown.rootMode}
					onChange={(rootMode) => set({ rootMode })}
				/>
				<NumberInput
					label="Most that the root of one Pi may hold"
					description="In gigabytes; empty: no limit but the disk's"
					value={shown.quota}
					min={0}
					onChange={(value) => set({ quota: numberOf(value) })}
				/>
				<Group grow preventGrowOverflow={false}>
					<NumberInput
						label="Older roots that are kept"
						description="Per Pi and image, after an image was replaced"
						value={shown.kept}
						min={0}
						allowDecimal={false}
						onChange={(value) => set({ kept: numberOf(value) })}
					/>
					<NumberInput
						label="For how many days"
						description="After their last use; empty: for ever"
						value={shown.days}
						min={0}
						allowDecimal={false}
						onChange={(value) => set({ days: numberOf(value) })}
					/>
				</Group>
				<Text size="sm" c="dimmed">
					All roots and snapshots take {bytesText(defaults.bytes)}; {bytesText(defaults.freeBytes)} are free on their
					disk.
				</Text>
				<Problem error={save.error} title="Nothing was changed" />
				<SaveBar
					isChanged={draft !== undefined}
					isSaving={save.isPending}
					isSaved={save.isSuccess}
					onDiscard={() => setDraft(undefined)}
				/>
			</Stack>
		</form>
	);
}
