/** The end of a form that orders writes: the one button after which a disk is lost. */
import { Button, Group } from "@mantine/core";

interface WriteEndProps {
	/** Everything was chosen, and confirmed. */
	readonly isSure: boolean;
	readonly isPending: boolean;
	readonly onCancel: () => void;
}

export function WriteEnd({ isSure, isPending, onCancel }: WriteEndProps) {
	return (
		<Group justify="flex-end" gap="xs" wrap="wrap-reverse">
			<Button variant="default" onClick={onCancel} disabled={isPending}>
				Cancel
			</Button>
			<Button type="submit" color="red" disabled={!isSure} loading={isPending}>
				I understand - write now
			</Button>
		</Group>
	);
}
