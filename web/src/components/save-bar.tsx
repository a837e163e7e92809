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
			{isSaved && !isChanged && (
				<Text size="sm" role="status">
					Saved.
				</Text>
			)}
		</Group>
	);
}
