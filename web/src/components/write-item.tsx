/** One write: how far it is, or what became of it. */
import { Anchor, Badge, Button, Group, Progress, Stack, Text } from "@mantine/core";
import type { Write, WriteStage } from "@pi-netboot/api";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ask } from "../api/client.ts";
import { bytesText } from "../words/bytes.ts";
import { durationText } from "../words/time.ts";
import { Ago } from "./ago.tsx";
import { Problem } from "./problem.tsx";

const stages: Readonly<Record<WriteStage, { readonly word: string; readonly color: string }>> = {
	wiping: { word: "Preparing", color: "blue" },
	writing: { word: "Writing", color: "blue" },
	verifying: { word: "Checking", color: "blue" },
	syncing: { word: "Finishing", color: "blue" },
	complete: { word: "Done", color: "green" },
	failed: { word: "Failed", color: "red" },
	cancelled: { word: "Cancelled", color: "gray" },
};

export function isOver({ stage }: Write): boolean {
	return stage === "complete" || stage === "failed" || stage === "cancelled";
}

export function WriteItem({ write }: { readonly write: Write }) {
	const { id, deviceId, deviceName, imageName, target, disk, stage, waiting, percent, error } = write;
	const cancel = useMutation({ mutationFn: () => ask("cancelWrite", { params: { id } }) });
	const retry = useMutation({ mutationFn: () => ask("retryWrite", { params: { id } }) });
	const { word, color } = waiting === undefined ? stages[stage] : { word: "Waiting", color: "gray" };
	const over = isOver(write);
	return (
		<Stack gap={4} component="article" aria-label={`${imageName} to ${deviceName}`}>
			<Group justify="space-between" gap="xs">
				<Text size="sm" fw={600}>
					<Anchor component={Link} to={`/devices/${deviceId}`} inherit underline="always">
						{deviceName}
					</Anchor>{" "}
					· {imageName}
				</Text>
				<Group gap={6}>
					<Badge variant="light" color={color}>
						{word}
					</Badge>
					{!over && (
						<Button
							size="compact-xs"
							variant="default"
							loading={cancel.isPending}
							disabled={write.cancelling}
							onClick={() => cancel.mutate()}
						>
							Cancel
						</Button>
					)}
					{(stage === "failed" || stage === "cancelled") && (
						<Button size="compact-xs" variant="default" loading={retry.isPending} onClick={() => retry.mutate()}>
							Try again
						</Button>
					)}
				</Group>
			</Group>
			<Text size="xs" c="dimmed">
				{disk.model || target}, {bytesText(disk.size)} · <Ago at={write.createdAt} />
			</Text>
			{!over && <Progress value={percent} aria-label={`Write to ${deviceName}`} />}
			<Text size="sm" role="status">
				{sentence(write)}
			</Text>
			{error?.hint !== undefined && <Text size="sm">{error.hint}</Text>}
			<Problem error={cancel.error ?? retry.error} />
		</Stack>
	);
}

/** How far it is in numbers, or its receipt. */
function sentence(write: Write): string {
	const { stage, waiting, error, bytesDone, bytesTotal, bytesPerSecond, secondsLeft, percent } = write;
	if (waiting !== undefined) return waiting.message;
	if (stage === "failed") return error?.message ?? "It failed.";
	if (stage === "cancelled") return "It was cancelled; the disk may hold a part.";
	if (stage === "complete") return receipt(write);
	const rate = bytesPerSecond === 0 ? "" : `, ${bytesText(bytesPerSecond)} a second`;
	const left = secondsLeft === null ? "" : `, ${durationText(secondsLeft * 1000)} left`;
	return `${Math.floor(percent)} %: ${bytesText(bytesDone)} of ${bytesText(bytesTotal)}${rate}${left}.`;
}

/** What it waited before it began says nothing of how long it took; what nobody asked to be proved is not called so. */
function receipt({ bytesTotal, verify, verifiedBytes, times, createdAt, endedAt }: Write): string {
	const took = endedAt === null ? "" : ` in ${durationText(endedAt - (times[0]?.at ?? createdAt))}`;
	const checked = {
		full: `${bytesText(verifiedBytes)} read back and compared`,
		sample: "a sample of it read back and compared",
		none: "not read back",
	};
	return `${bytesText(bytesTotal)} written${took}, ${checked[verify]}.`;
}
