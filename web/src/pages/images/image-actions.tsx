/** What can be done with an image. */
import { ActionIcon, Button, Checkbox, Group, Menu, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { Device, Image } from "@pi-netboot/api";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask } from "../../api/client.ts";
import { Confirm } from "../../components/confirm.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { DotsIcon } from "../../components/icons.tsx";
import { Problem } from "../../components/problem.tsx";
import { namesText } from "../../words/models.ts";

interface ImageActionsProps {
	readonly image: Image;
	readonly devices: readonly Device[];
	readonly isChosen: boolean;
}

export function ImageActions({ image, devices, isChosen }: ImageActionsProps) {
	const client = useQueryClient();
	const [renaming, rename] = useDisclosure(false);
	const [removing, remove] = useDisclosure(false);
	const isArriving = image.state === "importing";
	const makeDefault = useMutation({
		mutationFn: () => ask("setDefaultImage", { body: { id: image.id } }),
		onSuccess: () => client.invalidateQueries({ queryKey: ["images"] }),
	});
	return (
		<>
			<Menu shadow="md" position="bottom-end">
				<Menu.Target>
					<ActionIcon variant="subtle" color="gray" aria-label={`What can be done with ${image.name}`}>
						<DotsIcon />
					</ActionIcon>
				</Menu.Target>
				<Menu.Dropdown>
					{/* What cannot be done is left out: the focus would be given to the first item, and one that is off takes none. */}
					{image.state === "ready" && !image.isDefault && (
						<Menu.Item onClick={() => makeDefault.mutate()}>Make it the default</Menu.Item>
					)}
					{!isArriving && <Menu.Item onClick={rename.open}>Rename</Menu.Item>}
					<Menu.Item c="var(--mantine-color-error)" onClick={remove.open}>
						{isArriving ? "Give it up" : "Remove"}
					</Menu.Item>
				</Menu.Dropdown>
			</Menu>
			<Dialog opened={renaming} onClose={rename.close} title={`Rename ${image.name}`}>
				<RenameForm image={image} onDone={rename.close} />
			</Dialog>
			<Removal
				image={image}
				devices={isChosen || image.isDefault ? devices : []}
				opened={removing}
				onClose={remove.close}
			/>
			<Dialog opened={makeDefault.error !== null} onClose={makeDefault.reset} title="The default stays">
				<Problem error={makeDefault.error} />
			</Dialog>
		</>
	);
}

function RenameForm({ image, onDone }: { readonly image: Image; readonly onDone: () => void }) {
	const [name, setName] = useState(image.name);
	const change = useMutation({
		mutationFn: () => ask("changeImage", { params: { id: image.id }, body: { name } }),
		onSuccess: onDone,
	});
	const submit = (event: FormEvent) => {
		event.preventDefault();
		change.mutate();
	};
	return (
		<form onSubmit={submit}>
			<Stack>
				<TextInput
					label="New name"
					description="Of the file. The Pis that have it keep it, and what they wrote."
					value={name}
					onChange={({ currentTarget }) => setName(currentTarget.value)}
					data-autofocus
					required
				/>
				<Problem error={change.error} title="It was not renamed" />
				<Group justify="flex-end">
					<Button type="submit" loading={change.isPending} disabled={name === image.name}>
						Rename
					</Button>
				</Group>
			</Stack>
		</form>
	);
}

interface RemovalProps {
	readonly image: Image;
	readonly devices: readonly Device[];
	readonly opened: boolean;
	readonly onClose: () => void;
}

function Removal({ image, devices, opened, onClose }: RemovalProps) {
	const client = useQueryClient();
	const [withFile, setWithFile] = useState(false);
	const isArriving = image.state === "importing";
	const remove = useMutation({
		mutationFn: () =>
			ask("deleteImage", { params: { id: image.id }, query: { file: withFile && !isArriving ? "delete" : "keep" } }),
		onSuccess: async () => {
			await client.invalidateQueries({ queryKey: ["images"] });
			close();
		},
	});
	const close = () => {
		// To delete the file is a decision of its own each time.
		setWithFile(false);
		onClose();
	};
	return (
		<Confirm
			opened={opened}
			title={isArriving ? `Give up ${image.name}?` : `Remove ${image.name}?`}
			action={isArriving ? "Give it up" : "Remove"}
			order={remove}
			onConfirm={() => remove.mutate()}
			onClose={close}
		>
			<Stack gap="xs">
				{isArriving ? (
					<span>What has arrived of it is deleted.</span>
				) : (
					<>
						{devices.length > 0 && (
							<span>{namesText(devices.map(({ name }) => name))} will get another image at the next boot.</span>
						)}
						<span>The server forgets it; the file stays in the folder unless it shall go, too.</span>
						<Checkbox
							label="Delete its file from the server's disk"
							checked={withFile}
							onChange={({ currentTarget }) => setWithFile(currentTarget.checked)}
						/>
					</>
				)}
			</Stack>
		</Confirm>
	);
}
