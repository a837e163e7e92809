/** The end of a form: save what was typed, or discard it, and whether that was done. */
import { Button, Group, Text } from "@mantine/core";
import { listText } from "../words/models.ts";

interface SaveBarProps {
	readonly isChanged: boolean;
	readonly isSaving: boolean;
	/** What was typed last is stored. */
	readonly isSaved: boolean;
	/** What somebody else has changed meanwhile of what was typed, as the form calls it. */
	readonly overtaken?: readonly string[];
	readonly onDiscard: () => void;
}

export function SaveBar({ isChanged, isSaving, isSaved, overtaken = [], onDiscard }: SaveBarProps) {
	return (
		<Group gap="xs">
			<Button type="submit" disabled={!isChanged} loading={isSaving}>
				Save
			</Button>
			{isChanged && (
				<Button variant="default" onClick={onDiscard}>
					Discard
				</Button>
			)}
			{/* Always there: only what changes in a place that was there before is read out. */}
			<Text size="sm" role="status">
				{isSaved && !isChanged && "Saved."}
				{overtaken.length > 0 && `Changed elsewhere meanwhile: ${listText(overtaken)}. To save replaces that.`}
			</Text>
		</Group>
	);
}
