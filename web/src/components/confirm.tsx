/** Asks before something that cannot be undone. */
import { Button, Group, Stack, Text } from "@mantine/core";
import type { UseMutationResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Dialog } from "./dialog.tsx";
import { Problem } from "./problem.tsx";

interface ConfirmProps {
	readonly opened: boolean;
	readonly title: string;
	readonly children: ReactNode;
	/** What the button does, in a verb. */
	readonly action: string;
	/** What the button gives, and what came of that. */
	readonly order: Pick<UseMutationResult, "isPending" | "error" | "reset">;
	readonly onConfirm: () => void;
	readonly onClose: () => void;
}

export function Confirm(props: ConfirmProps) {
	const { opened, title, children, action, order } = props;
	const close = () => {
		// What was said of this attempt is not said of the next one.
		if (order.error !== null) order.reset();
		props.onClose();
	};
	return (
		<Dialog opened={opened} onClose={close} title={title}>
			<Stack>
				<Text size="sm" component="div">
					{children}
				</Text>
				<Problem error={order.error} />
				<Group justify="flex-end" gap="xs">
					{/* A key too much must not do what cannot be undone. */}
					<Button variant="default" onClick={close} data-autofocus>
						Cancel
					</Button>
					<Button loading={order.isPending} onClick={props.onConfirm}>
						{action}
					</Button>
				</Group>
			</Stack>
		</Dialog>
	);
}
