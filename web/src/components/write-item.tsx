/** One write: how far it is, or what became of it. */
import { Anchor, Badge, Button, Group, Progress, Stack, Text, VisuallyHidden } from "@mantine/core";
import type { Write } from "@pi-netboot/api";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ask } from "../api/client.ts";
import { bytesText } from "../words/bytes.ts";
import { diskName } from "../words/disks.ts";
import { durationText } from "../words/time.ts";
import { isOver } from "../words/writes.ts";
import { Ago } from "./ago.tsx";
import { Problem } from "./problem.tsx";
import { WriteReceipt } from "./write-receipt.tsx";
import { writeStages } from "./write-stages.ts";

export function WriteItem({ write }: { readonly write: Write }) {
	const { deviceId, deviceName, imageName, target, disk, stage, waiting, percent, error } = write;
	const { word, color } = waiting === undefined ? writeStages[stage] : { word: "Waiting", color: "gray" };
	const over = isOver(write);
	return (
		<Stack gap={4} component="article" aria-label={`${imageName} to ${deviceName}`}>
			<Group justify="space-between" align="flex-start" wrap="nowrap" gap="xs">
				<Text size="sm" fw={600} style={{ overflowWrap: "anywhere" }}>
					<Anchor component={Link} to={`/devices/${deviceId}`} inherit underline="always">
						{deviceName}
					</Anchor>{" "}
					· {imageName}
				</Text>
				<Badge variant="light" color={color} flex="none">
					{write.cancelling ? "Stopping" : word}
				</Badge>
			</Group>
			<Text size="xs" c="dimmed">
				{diskName(disk)}, {bytesText(disk.size)} ({target}) · <Ago at={write.endedAt ?? write.createdAt} />
			</Text>
			{!over && <Progress value={Math.floor(percent)} color={color} aria-label={`Write to ${deviceName}`} />}
			<Text size="sm">{sentence(write)}</Text>
			{/* Each second's numbers are not read out, only that it comes to another stage. */}
			<VisuallyHidden role="status">{`Write to ${deviceName}: ${word}`}</VisuallyHidden>
			{error?.hint !== undefined && (
				<Text size="sm" c="dimmed">
					{error.hint}
				</Text>
			)}
			{over && write.attempts > 0 && <WriteReceipt write={write} />}
			<Actions write={write} />
		</Stack>
	);
}

function Actions({ write }: { readonly write: Write }) {
	const { id, deviceName, stage } = write;
	const cancel = useMutation({ mutationFn: () => ask("cancelWrite", { params: { id } }) });
	const retry = useMutation({ mutationFn: () => ask("retryWrite", { params: { id } }) });
	const button = { size: "xs", variant: "default", w: "fit-content", mt: 4 } as const;
	return (
		<>
			{!isOver(write) && (
				<Button
					{...button}
					aria-label={`Cancel the write to ${deviceName}`}
					loading={cancel.isPending}
					disabled={write.cancelling}
					onClick={() => cancel.mutate()}
				>
					Cancel
				</Button>
			)}
			{(stage === "failed" || stage === "cancelled") && (
				<Button
					{...button}
					aria-label={`Try again: the write to ${deviceName}`}
					loading={retry.isPending}
					onClick={() => retry.mutate()}
				>
					Try again
				</Button>
			)}
			<Problem error={cancel.error ?? retry.error} />
		</>
	);
}

/** How far it is in numbers, or its receipt. */
function sentence(write: Write): string {
	const { stage, waiting, error, bytesDone, bytesTotal, bytesPerSecond, secondsLeft, percent } = write;
	if (waiting !== undefined) return waiting.message;
	if (stage === "complete") return receiptText(write);
	if (error !== undefined) return error.message;
	const rate = bytesPerSecond === 0 ? "" : `, ${bytesText(bytesPerSecond)} a second`;
	const left = secondsLeft === null ? "" : `, ${durationText(secondsLeft * 1000)} left`;
	return `${Math.floor(percent)} %: ${bytesText(bytesDone)} of ${bytesText(bytesTotal)}${rate}${left}.`;
}

/** What it waited before it began says nothing of how long it took; what nobody asked to be proved is not called so. */
function receiptText({ bytesTotal, verify, verifiedBytes, times, createdAt, endedAt }: Write): string {
	const took = endedAt === null ? "" : ` in ${durationText(endedAt - (times[0]?.at ?? createdAt))}`;
	const checked = {
		full: `${bytesText(verifiedBytes)} read back and compared`,
		sample: "a sample of it read back and compared",
		none: "not read back",
	};
	return `${bytesText(bytesTotal)} written${took}, ${checked[verify]}.`;
}
