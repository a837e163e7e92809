/** What is shown where there is no page, not yet, or where one failed. */
import { Anchor, Button, Text } from "@mantine/core";
import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { useLiveState } from "./live-context.ts";
import { PageFrame } from "./page-frame.tsx";
import { Problem } from "./problem.tsx";

export function NotFound() {
	return (
		<PageFrame title="Nothing here">
			<Text>
				There is no such page.{" "}
				<Anchor component={Link} to="/devices" underline="always">
					To the Pis
				</Anchor>
			</Text>
		</PageFrame>
	);
}

/** A page whose files are still on their way. */
export function PageWaits() {
	const isAway = useLiveState() === "away";
	return (
		<Text c="dimmed" role="status">
			{isAway ? "The server is away; this page comes by itself when it is back." : "Loading the page."}
		</Text>
	);
}

export function PageFailed({ error }: ErrorComponentProps) {
	return (
		<PageFrame title="The page failed">
			<Problem error={error instanceof Error ? error : new Error(String(error))} title="This page cannot be shown" />
			<Button w="fit-content" onClick={() => window.location.reload()}>
				Load it again
			</Button>
		</PageFrame>
	);
}
