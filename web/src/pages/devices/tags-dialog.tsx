/** Gives several Pis tags, and takes others away. */
import { Button, Group, Stack, TagsInput } from "@mantine/core";
import type { Device } from "@pi-netboot/api";
import { type FormEvent, useState } from "react";
import { ask } from "../../api/client.ts";
import { Dialog } from "../../components/dialog.tsx";
import { Problem } from "../../components/problem.tsx";
import { SeveralProgress } from "./several-progress.tsx";
import { useSeveral, useSeveralPending } from "./use-several.ts";

interface TagsDialogProps {
	readonly chosen: readonly Device[];
	readonly onDone: () => void;
	readonly onClose: () => void;
}

export default function TagsDialog(props: TagsDialogProps) {
	const { chosen, onClose } = props;
	const isPending = useSeveralPending();
	return (
		<Dialog
			opened
			onClose={() => isPending || onClose()}
			title={`Tags of ${chosen.length === 1 ? "1 Pi" : `${chosen.length} Pis`}`}
		>
			<TagsForm {...props} />
		</Dialog>
	);
}

function TagsForm({ chosen, onDone, onClose }: TagsDialogProps) {
	const before = common(chosen);
	const [tags, setTags] = useState<readonly string[]>(before);
	const change = useSeveral(
		chosen,
		(device) => ask("changeDevice", { params: { id: device.id }, body: { tags: changed(device.tags, before, tags) } }),
		onDone,
	);
	const submit = (event: FormEvent) => {
		event.preventDefault();
		change.mutate();
	};
	return (
		<form onSubmit={submit}>
			<Stack>
				<TagsInput
					label="Tags that all of them have"
					description="Enter ends each. What only some of them have stays as it is."
					value={[...tags]}
					onChange={setTags}
					maxTags={16}
					data-autofocus
				/>
				<Problem error={change.error} />
				<SeveralProgress progress={change.progress} />
				<Group justify="flex-end" gap="xs">
					<Button variant="default" onClick={onClose} disabled={change.isPending}>
						Cancel
					</Button>
					<Button type="submit" disabled={tags.join() === before.join()} loading={change.isPending}>
						Save
					</Button>
				</Group>
			</Stack>
		</form>
	);
}

/** The tags that all have. */
function common([first, ...others]: readonly Device[]): string[] {
	return first?.tags.filter((tag) => others.every(({ tags }) => tags.includes(tag))) ?? [];
}

function changed(own: readonly string[], before: readonly string[], after: readonly string[]): string[] {
	return [...new Set([...own.filter((tag) => !before.includes(tag)), ...after])];
}
