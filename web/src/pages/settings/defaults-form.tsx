/** Root mode, quota and old roots for everybody. */
import { Stack, Text } from "@mantine/core";
import type { Defaults, DefaultsChanges, RootMode } from "@pi-netboot/api";
import { AmountInput } from "../../components/amount-input.tsx";
import { Fields } from "../../components/fields.tsx";
import { RootModeChoice } from "../../components/root-mode-choice.tsx";
import { SaveBar } from "../../components/save-bar.tsx";
import { useSavedDraft } from "../../hooks/use-saved-draft.ts";
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
	/** Gigabytes; empty: no limit. */
	readonly budget: number | "";
}

function draftOf({ rootMode, quotaBytes, oldRoots }: Defaults): Draft {
	return {
		rootMode,
		quota: quotaBytes === 0 ? "" : quotaBytes / GIGABYTE,
		kept: oldRoots.kept,
		days: oldRoots.days ?? "",
		budget: oldRoots.budgetBytes === null ? "" : oldRoots.budgetBytes / GIGABYTE,
	};
}

function changesOf(defaults: Defaults, { rootMode, quota, kept, days, budget }: Draft): DefaultsChanges {
	const now = draftOf(defaults);
	const oldRoots = {
		...(kept !== "" && kept !== now.kept && { kept }),
		...(days !== now.days && { days: days === "" ? null : days }),
		...(budget !== now.budget && { budgetBytes: budget === "" ? null : Math.round(budget * GIGABYTE) }),
	};
	return {
		...(rootMode !== now.rootMode && { rootMode }),
		...(quota !== now.quota && { quotaBytes: quota === "" ? 0 : Math.round(quota * GIGABYTE) }),
		...(Object.keys(oldRoots).length > 0 && { oldRoots }),
	};
}

const fieldNames: Readonly<Record<keyof Draft, string>> = {
	rootMode: "what a Pi may do",
	quota: "most that a root may hold",
	kept: "older roots",
	days: "days",
	budget: "most that all of them may take",
};

export function DefaultsForm({ defaults, onSave }: DefaultsFormProps) {
	const { shown, set, discard, overtaken, save, submit } = useSavedDraft(draftOf(defaults), (draft) =>
		onSave(changesOf(defaults, draft)),
	);
	return (
		<form onSubmit={submit}>
			<Stack>
				<RootModeChoice
					label="What a Pi may do with its root"
					value={shown.rootMode}
					onChange={(rootMode) => set({ rootMode })}
				/>
				<Fields>
					<AmountInput
						label="Most that a Pi's root may hold"
						description="In gigabytes; empty: no limit"
						value={shown.quota}
						onChange={(quota) => set({ quota })}
					/>
					<AmountInput
						label="Most that all of them may take"
						description="In gigabytes: above it, older ones go"
						value={shown.budget}
						onChange={(budget) => set({ budget })}
					/>
					<AmountInput
						label="Older roots that are kept"
						description="Per Pi, once an image is replaced"
						value={shown.kept}
						isWhole
						onChange={(kept) => set({ kept })}
					/>
					<AmountInput
						label="For how many days"
						description="After their last use; empty: for ever"
						value={shown.days}
						isWhole
						onChange={(days) => set({ days })}
					/>
				</Fields>
				<Text size="sm" c="dimmed">
					All roots and snapshots take {bytesText(defaults.bytes)}; {bytesText(defaults.freeBytes)} are free on their
					disk.
				</Text>
				<SaveBar
					isChanged={Object.keys(changesOf(defaults, shown)).length > 0}
					save={save}
					overtaken={overtaken.map((key) => fieldNames[key])}
					onDiscard={discard}
				/>
			</Stack>
		</form>
	);
}
