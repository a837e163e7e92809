/** The end of a form: save what was typed, or discard it, and whether that was done. */
import { Button, Group, Text } from "@mantine/core";

interface SaveBarProps {
	readonly isChanged: boolean;
	readonly isSaving: boolean;
	/** What was typed last is stored. */
	readonly isSaved: boolean;
	readonly onDiscard: () => void;
}

export function SaveBar({ isChanged, isSaving, isSaved, onDiscard }: SaveBarProps) {
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
			</Text>
		</Group>
	);
}
