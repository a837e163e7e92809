/** The list of Raspberry Pi Imager: what can be booted from the network, one click away. */
import { Badge, Button, Group, Skeleton, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { CatalogEntry } from "@pi-netboot/api";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ask } from "../../api/client.ts";
import { catalogQuery } from "../../api/queries.ts";
import { Dialog } from "../../components/dialog.tsx";
import { CheckIcon, SearchIcon } from "../../components/icons.tsx";
import { Problem } from "../../components/problem.tsx";
import { bytesText } from "../../words/bytes.ts";
import { modelText } from "../../words/models.ts";
import classes from "./images.module.css";

export function CatalogButton() {
	const [opened, { open, close }] = useDisclosure(false);
	return (
		<>
			<Button onClick={open}>Choose from the catalogue</Button>
			<Dialog opened={opened} onClose={close} title="Systems for the Raspberry Pi" size="xl">
				<Catalog />
			</Dialog>
		</>
	);
}

function Catalog() {
	const { data: catalog, error, refetch, isFetching } = useQuery(catalogQuery);
	const [text, setText] = useState("");
	const [withAll, setWithAll] = useState(false);
	const wanted = text.toLowerCase();
	const shown = catalog?.entries.filter(
		({ name, description, category, canNetboot }) =>
			(canNetboot || withAll) && [name, description, ...category].join(" ").toLowerCase().includes(wanted),
	);
	return (
		<Stack>
			<Problem error={error} title="The catalogue cannot be shown" onRetry={() => void refetch()} />
			<Group>
				<TextInput
					type="search"
					aria-label="Search the catalogue"
					placeholder="Raspberry Pi OS, Ubuntu, …"
					leftSection={<SearchIcon size={16} />}
					value={text}
					onChange={({ currentTarget }) => setText(currentTarget.value)}
					flex="1 1 14rem"
					data-autofocus
				/>
				<Switch
					label="Also what cannot boot from the network"
					checked={withAll}
					onChange={({ currentTarget }) => setWithAll(currentTarget.checked)}
				/>
			</Group>
			{isFetching && catalog === undefined && <Skeleton h={200} aria-busy="true" />}
			<ul className={classes.entries}>
				{shown?.map((entry) => (
					<Entry key={entry.id} entry={entry} />
				))}
			</ul>
			{shown?.length === 0 && <Text size="sm">Nothing fits.</Text>}
			{catalog?.notes.map((note) => (
				<Text size="xs" c="dimmed" key={note}>
					{note}
				</Text>
			))}
		</Stack>
	);
}

function Entry({ entry }: { readonly entry: CatalogEntry }) {
	const { id, name, description, category, downloadSize, releaseDate, models, canNetboot, reason } = entry;
	const add = useMutation({ mutationFn: () => ask("addImage", { body: { catalog: id } }) });
	const facts = [category.at(-1), releaseDate, downloadSize === null ? undefined : bytesText(downloadSize)];
	return (
		<li className={classes.entry}>
			<Stack gap={2} miw={0}>
				<Text fw={600} size="sm">
					{name}
				</Text>
				<Text size="sm">{description}</Text>
				<Group gap={6}>
					<Text size="xs" c="dimmed">
						{facts.filter(Boolean).join(" · ")}
					</Text>
					{models.map((model) => (
						<Badge key={model} size="xs" variant="light" color="gray" tt="none">
							{modelText(model)}
						</Badge>
					))}
				</Group>
				{reason !== undefined && (
					<Text size="xs" c="dimmed">
						{reason}
					</Text>
				)}
				<Problem error={add.error} title="It was not added" />
			</Stack>
			{canNetboot &&
				(add.isSuccess ? (
					<Badge variant="light" color="green" leftSection={<CheckIcon size={12} />} flex="none">
						Coming
					</Badge>
				) : (
					<Button
						size="xs"
						variant="default"
						loading={add.isPending}
						onClick={() => add.mutate()}
						aria-label={`Add ${name}`}
						flex="none"
					>
						Add
					</Button>
				))}
		</li>
	);
}
