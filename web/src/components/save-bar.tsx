/** The end of a form: save what was typed, or discard it, and what came of that. */
import { Button, Group, Text } from "@mantine/core";
import type { UseMutationResult } from "@tanstack/react-query";
import { listText } from "../words/models.ts";
import { Problem } from "./problem.tsx";

interface SaveBarProps {
	readonly isChanged: boolean;
	/** What came of the last attempt. */
	readonly save: Pick<UseMutationResult, "isPending" | "isSuccess" | "error">;
	/** What somebody else has changed meanwhile of what was typed, as the form calls it. */
	readonly overtaken?: readonly string[];
	readonly onDiscard: () => void;
}

export function SaveBar({ isChanged, save, overtaken = [], onDiscard }: SaveBarProps) {
	return (
		<>
			<Problem error={save.error} title="Nothing was changed" />
			<Group gap="xs">
				<Button type="submit" disabled={!isChanged} loading={save.isPending}>
					Save
				</Button>
				{isChanged && (
					<Button variant="default" onClick={onDiscard}>
						Discard
					</Button>
				)}
				{/* Always there: only what changes in a place that was there before is read out. */}
				<Text size="sm" role="status">
					{save.isSuccess && !isChanged && "Saved."}
					{overtaken.length > 0 && `Changed elsewhere meanwhile: ${listText(overtaken)}. To save replaces that.`}
				</Text>
			</Group>
		</>
	);
}
