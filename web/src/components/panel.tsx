/** A box with a heading. */
import { Group, Paper, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useId } from "react";

interface PanelProps {
	readonly title: string;
	readonly lead?: ReactNode;
	readonly actions?: ReactNode;
	readonly children: ReactNode;
}

export function Panel({ title, lead, actions, children }: PanelProps) {
	const id = useId();
	return (
		<Paper component="section" withBorder p="md" aria-labelledby={id}>
			<Stack gap="md">
				<Group justify="space-between" align="flex-start" gap="xs" wrap="nowrap">
					<div style={{ minWidth: 0 }}>
						<Title order={2} size="h4" id={id}>
							{title}
						</Title>
						{lead !== undefined && (
							<Text size="sm" c="dimmed" component="div">
								{lead}
							</Text>
						)}
					</div>
					{actions !== undefined && <div style={{ flex: "none" }}>{actions}</div>}
				</Group>
				{children}
			</Stack>
		</Paper>
	);
}
