/** The head of a page: its title, what it is about in a line, and what can be done. */
import { Group, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

interface PageFrameProps {
	readonly title: string;
	readonly lead?: ReactNode;
	readonly actions?: ReactNode;
	readonly children: ReactNode;
}

export function PageFrame({ title, lead, actions, children }: PageFrameProps) {
	useEffect(() => {
		document.title = `${title} · pi-netboot`;
	}, [title]);
	return (
		<Stack gap="lg">
			<Group justify="space-between" align="flex-start" gap="sm">
				<div>
					<Title order={1} size="h2">
						{title}
					</Title>
					{lead !== undefined && (
						<Text c="dimmed" size="sm" component="div">
							{lead}
						</Text>
					)}
				</div>
				{actions !== undefined && <Group gap="xs">{actions}</Group>}
			</Group>
			{children}
		</Stack>
	);
}
