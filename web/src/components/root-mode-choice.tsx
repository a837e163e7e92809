/** What becomes of a Pi's changes: one of the modes of a root. */
import { Radio, Stack } from "@mantine/core";
import type { RootMode } from "@pi-netboot/api";
import { rootModes } from "../words/stages.ts";

interface RootModeChoiceProps {
	readonly label: string;
	readonly value: RootMode;
	readonly onChange: (mode: RootMode) => void;
}

export function RootModeChoice({ label, value, onChange }: RootModeChoiceProps) {
	return (
		<Radio.Group label={label} value={value} onChange={(mode) => onChange(mode as RootMode)}>
			<Stack gap="xs" mt={4}>
				{Object.entries(rootModes).map(([mode, { name, meaning }]) => (
					<Radio key={mode} value={mode} label={name} description={meaning} />
				))}
			</Stack>
		</Radio.Group>
	);
}
