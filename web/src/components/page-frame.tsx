/** The head of a page: its title, what it is about in a line, and what can be done. */
import { Group, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect, useLayoutEffect, useRef } from "react";

interface PageFrameProps {
	readonly title: string;
	readonly lead?: ReactNode;
	readonly actions?: ReactNode;
	readonly children: ReactNode;
}

export function PageFrame({ title, lead, actions, children }: PageFrameProps) {
	const heading = useHeading();
	useEffect(() => {
		document.title = `${title} · pi-netboot`;
	}, [title]);
	return (
		<Stack gap="lg">
			<Group justify="space-between" align="flex-start" gap="sm">
				<div style={{ minWidth: 0 }}>
					<Title order={1} size="h2" ref={heading} tabIndex={-1} style={{ overflowWrap: "anywhere" }}>
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

/** The page that the focus is on; undefined while the browser has shown none, which it reads from its start. */
let place: string | undefined;
/** A heading had the focus that was replaced by that of the same page, with more in it. */
let isOwed = false;

/** Gives the focus to the heading of a page that somebody went to: that is how a screen reader tells where one is. */
function useHeading() {
	const heading = useRef<HTMLHeadingElement>(null);
	useLayoutEffect(() => {
		const element = heading.current;
		const { pathname } = window.location;
		if (place !== undefined && (pathname !== place || isOwed)) element?.focus({ preventScroll: true });
		place = pathname;
		return () => {
			isOwed = document.activeElement === element;
		};
	}, []);
	return heading;
}
