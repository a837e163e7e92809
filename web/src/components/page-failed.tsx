/** What is shown where there is no page, or where one failed. */
import { Anchor, Button, Text } from "@mantine/core";
import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { PageFrame } from "./page-frame.tsx";
import { Problem } from "./problem.tsx";

export function NotFound() {
	return (
		<PageFrame title="Nothing here">
			<Text>
				There is no such page.{" "}
				<Anchor component={Link} to="/devices">
					To the Pis
				</Anchor>
			</Text>
		</PageFrame>
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
