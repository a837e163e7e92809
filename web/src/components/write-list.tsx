/** Writes one below the other. */
import { Divider, Stack } from "@mantine/core";
import type { Write } from "@pi-netboot/api";
import { Fragment } from "react";
import { WriteItem } from "./write-item.tsx";

export function WriteList({ writes }: { readonly writes: readonly Write[] }) {
	return (
		<Stack gap="sm">
			{writes.map((write, index) => (
				<Fragment key={write.id}>
					{index > 0 && <Divider />}
					<WriteItem write={write} />
				</Fragment>
			))}
		</Stack>
	);
}
