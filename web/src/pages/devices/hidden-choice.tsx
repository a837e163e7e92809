/** Pis that were chosen and that a search hides. */
import { Button, Group, Text } from "@mantine/core";
import type { Device } from "@pi-netboot/api";
import { namesText } from "../../words/models.ts";

interface HiddenChoiceProps {
	/** Those of the chosen ones that the search leaves out. */
	readonly hidden: readonly Device[];
	readonly onShow: () => void;
	readonly onLeaveOut: () => void;
}

/** What is done to the chosen ones is done to those that cannot be seen, too: that is said, and can be changed. */
export function HiddenChoice({ hidden, onShow, onLeaveOut }: HiddenChoiceProps) {
	return (
		<Group gap="xs" role="status">
			{hidden.length > 0 && (
				<>
					<Text size="sm">{hiddenText(hidden)}</Text>
					<Button size="xs" variant="default" onClick={onShow}>
						Show all
					</Button>
					<Button size="xs" variant="default" onClick={onLeaveOut}>
						Leave them out
					</Button>
				</>
			)}
		</Group>
	);
}

/** `3 of them are not shown: a, b, and c.` */
export function hiddenText(hidden: readonly Device[]): string {
	if (hidden.length === 0) return "";
	const count = hidden.length === 1 ? "1 of them is" : `${hidden.length} of them are`;
	return `${count} not shown: ${namesText(hidden.map(({ name }) => name))}.`;
}
