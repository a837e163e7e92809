/** What can be done with several Pis at once. */
import { Anchor, Button, Group, Paper, Stack, Text } from "@mantine/core";
import type { Device, DeviceChanges } from "@pi-netboot/api";
import { Link } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { ask } from "../../api/client.ts";
import { pageFile } from "../../api/page-files.ts";
import { Confirm } from "../../components/confirm.tsx";
import { Problem } from "../../components/problem.tsx";
import { namesText } from "../../words/models.ts";
import classes from "./devices.module.css";
import { HiddenChoice, hiddenText } from "./hidden-choice.tsx";
import { ImageMenu, ModeMenu } from "./selection-menus.tsx";
import { SeveralProgress } from "./several-progress.tsx";
import { useSeveral } from "./use-several.ts";

const TagsDialog = lazy(pageFile(() => import("./tags-dialog.tsx")));
const WriteSeveral = lazy(pageFile(() => import("./write-several.tsx")));

interface SelectionBarProps {
	/** At least one. */
	readonly chosen: readonly Device[];
	/** All that are on the page: of those that were chosen, a search may hide some. */
	readonly shownIds: readonly string[];
	readonly onSelect: (ids: readonly string[]) => void;
	/** Ends the search. */
	readonly onShowAll: () => void;
}

/** In a window before the page. */
type Question = "reset" | "reboot" | "tags" | "write";

/** What was done last, to those that were chosen then. */
interface News {
	readonly ids: string;
	readonly text: ReactNode;
}

export default function SelectionBar({ chosen, shownIds, onSelect, onShowAll }: SelectionBarProps) {
	const ids = chosen
		.map(({ id }) => id)
		.sort()
		.join();
	const [news, setNews] = useState<News>();
	const [asking, setAsking] = useState<Question>();
	/** @param over its question; another that was opened meanwhile stays. */
	const tell = (text: ReactNode, over?: Question) => {
		setAsking((now) => (now === over ? undefined : now));
		setNews({ ids, text });
	};
	const change = useSeveral(
		chosen,
		({ id }, changes: DeviceChanges) => ask("changeDevice", { params: { id }, body: changes }),
		() => tell("Set. It holds from the next boot on."),
	);
	const reset = useSeveral(
		chosen,
		({ id }) => ask("resetRoot", { params: { id } }),
		() => tell("The roots are dropped at the next boot.", "reset"),
	);
	const online = chosen.filter(({ agent }) => agent?.online === true);
	const ifHeard = online.length === 0 ? { disabled: true, title: "None of them is heard now" } : {};
	const reboot = useSeveral(
		online,
		({ id }) => ask("rebootDevice", { params: { id } }),
		() => tell("Told to reboot.", "reboot"),
	);
	// Whom it is about stays until it is said what came of it.
	const isBusy = [change, reset, reboot].some(({ isPending }) => isPending);
	// Who closed a question meanwhile is told here what comes of it.
	const unasked = [change, ...(asking === "reset" ? [] : [reset]), ...(asking === "reboot" ? [] : [reboot])];
	const shown = new Set(shownIds);
	const hidden = chosen.filter(({ id }) => !shown.has(id));
	const count = chosen.length === 1 ? "1 Pi" : `${chosen.length} Pis`;
	return (
		<div className={classes.selected}>
			<Paper withBorder shadow="md" p="sm" maw="56rem" mx="auto" component="section" aria-label="Selected Pis">
				<Stack gap="xs">
					<Problem error={unasked.find(({ error }) => error !== null)?.error ?? null} />
					<SeveralProgress progress={unasked.find(({ isPending }) => isPending)?.progress} />
					<HiddenChoice
						hidden={hidden}
						onShow={onShowAll}
						onLeaveOut={() => onSelect(chosen.flatMap(({ id }) => (shown.has(id) ? [id] : [])))}
					/>
					<Group gap="xs">
						<Text size="sm" fw={600} role="status">
							{count} selected
						</Text>
						<ImageMenu isPending={change.isPending} onChoose={(imageId) => change.mutate({ imageId })} />
						<ModeMenu onChoose={(rootMode) => change.mutate({ rootMode })} />
						<Button size="xs" variant="default" onClick={() => setAsking("tags")}>
							Tags
						</Button>
						<Button size="xs" variant="default" onClick={() => setAsking("reset")}>
							Reset
						</Button>
						<Button size="xs" variant="default" {...ifHeard} onClick={() => setAsking("reboot")}>
							Reboot
						</Button>
						<Button size="xs" variant="default" {...ifHeard} onClick={() => setAsking("write")}>
							Write to disk
						</Button>
						<Text size="sm" role="status">
							{news?.ids === ids && news.text}
						</Text>
						<Group gap="xs" ml="auto">
							<Button size="xs" variant="subtle" disabled={isBusy} onClick={() => onSelect(shownIds)}>
								Select all
							</Button>
							<Button size="xs" variant="subtle" disabled={isBusy} onClick={() => onSelect([])}>
								Clear
							</Button>
						</Group>
					</Group>
				</Stack>
			</Paper>
			<Confirm
				opened={asking === "reset"}
				title={`Reset the root of ${count}?`}
				action="Reset at the next boot"
				order={reset}
				onConfirm={() => reset.mutate()}
				onClose={() => setAsking(undefined)}
			>
				What {namesText(chosen.map(({ name }) => name))} changed of the image is dropped when they boot the next time.{" "}
				{hiddenText(hidden)}
				<SeveralProgress progress={reset.progress} />
			</Confirm>
			<Confirm
				opened={asking === "reboot"}
				title={`Reboot ${online.length === 1 ? "1 Pi" : `${online.length} Pis`}?`}
				action="Reboot"
				order={reboot}
				onConfirm={() => reboot.mutate()}
				onClose={() => setAsking(undefined)}
			>
				What runs on {namesText(online.map(({ name }) => name))} is ended.{" "}
				{hiddenText(online.filter((device) => hidden.includes(device)))}
				<SeveralProgress progress={reboot.progress} />
			</Confirm>
			<Suspense>
				{asking === "tags" && (
					<TagsDialog
						chosen={chosen}
						onDone={() => tell("The tags are saved.", "tags")}
						onClose={() => setAsking(undefined)}
					/>
				)}
				{asking === "write" && (
					<WriteSeveral
						chosen={chosen}
						onDone={() => tell(<Ordered />, "write")}
						onClose={() => setAsking(undefined)}
					/>
				)}
			</Suspense>
		</div>
	);
}

function Ordered() {
	return (
		<>
			Ordered:{" "}
			<Anchor component={Link} to="/writes" inherit>
				see the writes
			</Anchor>
		</>
	);
}
