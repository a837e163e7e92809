/** A Pi for who has none at hand, or wants to see what is said of one that does not boot. */
import { Button, Group, NativeSelect, Stack, Text } from "@mantine/core";
import type { VirtualFailure, VirtualModel } from "@pi-netboot/api";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ask } from "../../api/client.ts";
import { Problem } from "../../components/problem.tsx";
import { failures } from "../../words/failures.ts";

const models: readonly { readonly value: VirtualModel; readonly label: string }[] = [
	{ value: "pi5", label: "Pi 5" },
	{ value: "pi4", label: "Pi 4" },
	{ value: "pi3bp", label: "Pi 3 B+" },
];

const plays = [
	{ value: "", label: "It boots" },
	{ group: "It fails", items: Object.entries(failures).map(([value, label]) => ({ value, label })) },
];

export function VirtualPi({ canBoot }: { readonly canBoot: boolean }) {
	const [model, setModel] = useState<VirtualModel>("pi5");
	const [failure, setFailure] = useState<VirtualFailure>();
	const start = useMutation({
		mutationFn: (played: VirtualFailure | undefined) => ask("startVirtualPi", { body: { model, plays: played } }),
	});
	return (
		<Stack>
			<Group align="flex-end" gap="sm">
				<NativeSelect
					label="Model"
					data={[...models]}
					value={model}
					onChange={({ currentTarget }) => setModel(currentTarget.value as VirtualModel)}
				/>
				<NativeSelect
					label="What it does"
					data={plays}
					value={failure ?? ""}
					onChange={({ currentTarget }) => setFailure((currentTarget.value || undefined) as VirtualFailure | undefined)}
				/>
				<Button onClick={() => start.mutate(failure)} loading={start.isPending} disabled={!canBoot}>
					Start a virtual Pi
				</Button>
			</Group>
			<Text size="sm" role="status">
				{!canBoot && "It needs an image, too."}
				{start.isSuccess &&
					(start.variables === undefined
						? "It is switched on: watch it arrive above, and among the Pis."
						: "It is switched on: within two minutes it says above what is wrong, and what to do.")}
			</Text>
			<Problem error={start.error} title="It was not started" />
		</Stack>
	);
}
