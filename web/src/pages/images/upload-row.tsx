/** One upload: how far it is, and what can be done with it. */
import { Alert, Button, Group, Paper, Progress, Stack, Text, VisuallyHidden } from "@mantine/core";
import { Refusal } from "../../api/failures.ts";
import { AlertIcon } from "../../components/icons.tsx";
import { Problem } from "../../components/problem.tsx";
import { bytesText } from "../../words/bytes.ts";
import { type UploadView, uploads } from "./uploads.ts";

/** What is read out: the percents are not. */
const news: Readonly<Record<UploadView["state"], string>> = {
	sending: "",
	waiting: "waits for the server",
	paused: "is paused",
	failed: "was not taken",
	done: "is on the server",
};

export function UploadRow({ view }: { readonly view: UploadView }) {
	const { key, name, bytes, sent, state, error, isGone } = view;
	const percent = bytes === 0 ? 0 : Math.floor((sent / bytes) * 100);
	const isTaken = error instanceof Refusal && error.code === "image-exists";
	return (
		<Paper withBorder p="sm">
			<Stack gap={6}>
				<Group justify="space-between" gap="xs">
					<Text size="sm" fw={600} style={{ overflowWrap: "anywhere" }}>
						{name}
					</Text>
					<Group gap={6}>
						{state === "sending" && (
							<Button
								size="xs"
								variant="default"
								aria-label={`Pause the upload of ${name}`}
								onClick={() => uploads.pause(key)}
							>
								Pause
							</Button>
						)}
						{(state === "paused" || state === "failed") && !isTaken && !isGone && (
							<Button
								size="xs"
								variant="default"
								aria-label={`Go on with the upload of ${name}`}
								onClick={() => uploads.resume(key)}
							>
								Go on
							</Button>
						)}
						{isTaken && (
							<Button
								size="xs"
								variant="default"
								aria-label={`Replace it: ${name}`}
								onClick={() => uploads.resume(key, true)}
							>
								Replace it
							</Button>
						)}
						{state === "done" ? (
							<Button
								size="xs"
								variant="default"
								aria-label={`Hide the upload of ${name}`}
								onClick={() => uploads.dismiss(key)}
							>
								Hide
							</Button>
						) : (
							<Button
								size="xs"
								variant="subtle"
								aria-label={`Cancel the upload of ${name}`}
								onClick={() => uploads.cancel(key)}
							>
								Cancel
							</Button>
						)}
					</Group>
				</Group>
				<Progress value={percent} aria-label={`Upload of ${name}`} color={state === "done" ? "green" : "raspberry"} />
				<Text size="xs" c="dimmed">
					{sentence(view, percent)}
				</Text>
				<VisuallyHidden role="status">{news[state] && `${name} ${news[state]}`}</VisuallyHidden>
				<Problem error={error ?? null} title="It was not taken" />
				{isGone && <FileGone isSent={state === "done"} />}
			</Stack>
		</Paper>
	);
}

/** The browser tells that there is something with the file, but not what. */
function FileGone({ isSent }: { readonly isSent: boolean }) {
	const title = isSent ? "The file was moved or changed while it was sent" : "The file cannot be read any more";
	return (
		<Alert color={isSent ? "yellow" : "red"} variant="light" icon={<AlertIcon />} title={title} role="alert">
			{isSent
				? "If it was changed on this computer, what the server has is of both: send it again."
				: "It was moved, deleted or changed on this computer. Choose it again: of the same file only the rest is sent."}
		</Alert>
	);
}

function sentence({ state, sent, bytes, resumed }: UploadView, percent: number): string {
	const amount = `${bytesText(sent)} of ${bytesText(bytes)}`;
	if (state === "done") return `Uploaded: ${bytesText(bytes)}.`;
	if (state === "paused") return `Paused at ${amount}.`;
	if (state === "waiting") return `The server is away; it goes on by itself. ${amount}.`;
	if (state === "failed") return `Stopped at ${amount}.`;
	return `${percent} %, ${amount}${resumed ? ", taken up where it had stopped" : ""}.`;
}
