/** Asks before something that cannot be undone. */
import { Button, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Dialog } from "./dialog.tsx";
import { Problem } from "./problem.tsx";

interface ConfirmProps {
	readonly opened: boolean;
	readonly title: string;
	readonly children: ReactNode;
	/** What the button does, in a verb. */
	readonly action: string;
	readonly pending?: boolean;
	readonly error?: Error | null;
	readonly disabled?: boolean;
	readonly onConfirm: () => void;
	readonly onClose: () => void;
}

export function Confirm(props: ConfirmProps) {
	const { opened, title, children, action, pending = false, error = null, disabled = false } = props;
	return (
		<Dialog opened={opened} onClose={props.onClose} title={title}>
			<Stack>
				<Text size="sm" component="div">
					{children}
				</Text>
				<Problem error={error} />
				<Group justify="flex-end" gap="xs">
					{/* A key too much must not do what cannot be undone. */}
					<Button variant="default" onClick={props.onClose} data-autofocus>
						Cancel
					</Button>
					<Button loading={pending} disabled={disabled} onClick={props.onConfirm}>
						{action}
					</Button>
				</Group>
			</Stack>
		</Dialog>
	);
}
