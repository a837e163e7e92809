/** A window in front of the page. */
import { Group, Modal } from "@mantine/core";
import type { ReactNode } from "react";

interface DialogProps {
	readonly opened: boolean;
	readonly onClose: () => void;
	readonly title: string;
	readonly size?: "md" | "lg" | "xl";
	readonly children: ReactNode;
}

export function Dialog({ opened, onClose, title, size = "md", children }: DialogProps) {
	return (
		<Modal.Root opened={opened} onClose={onClose} centered={size !== "xl"} size={size}>
			<Modal.Overlay />
			<Modal.Content>
				{/* Mantine's own head would be a second banner of the page for screen readers. */}
				<Group justify="space-between" wrap="nowrap" p="md">
					<Modal.Title fw={600} lh={1.35} style={{ overflowWrap: "anywhere" }}>
						{title}
					</Modal.Title>
					<Modal.CloseButton aria-label="Close" />
				</Group>
				<Modal.Body>{children}</Modal.Body>
			</Modal.Content>
		</Modal.Root>
	);
}
