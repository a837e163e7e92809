/** How far an order for several Pis is. */
import { Progress as Bar, Group, Text } from "@mantine/core";
import type { Progress } from "./use-several.ts";

/** Below so many it is over before anybody has read it. */
const MANY = 10;

export function SeveralProgress({ progress }: { readonly progress: Progress | undefined }) {
	if (progress === undefined || progress.all < MANY) return null;
	const { done, all } = progress;
	return (
		<Group gap="xs" wrap="nowrap">
			<Bar value={(done / all) * 100} aria-label="Done so far" flex={1} />
			<Text size="sm">
				{done} of {all}
			</Text>
		</Group>
	);
}
