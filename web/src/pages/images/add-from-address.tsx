/** An image by its address on the web, or by its path on the server. */
import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask } from "../../api/client.ts";
import { Dialog } from "../../components/dialog.tsx";
import { Problem } from "../../components/problem.tsx";

export function AddFromAddress() {
	const [opened, { open, close }] = useDisclosure(false);
	return (
		<>
			<Button variant="default" onClick={open}>
				Add by address
			</Button>
			<Dialog opened={opened} onClose={close} title="Add an image by its address">
				<AddForm onDone={close} />
			</Dialog>
		</>
	);
}

function AddForm({ onDone }: { readonly onDone: () => void }) {
	const [place, setPlace] = useState("");
	const [sha256, setSha256] = useState("");
	const isPath = place.startsWith("/");
	const add = useMutation({
		mutationFn: () => ask("addImage", { body: isPath ? { path: place } : withSum(place, sha256) }),
		onSuccess: onDone,
	});
	const submit = (event: FormEvent) => {
		event.preventDefault();
		add.mutate();
	};
	return (
		<form onSubmit={submit}>
			<Stack>
				<TextInput
					label="Address"
					description="https://… to download it, or a path on the server to use it where it lies"
					placeholder="https://example.org/raspios.img.xz"
					value={place}
					onChange={({ currentTarget }) => setPlace(currentTarget.value.trim())}
					required
					data-autofocus
				/>
				{!isPath && (
					<TextInput
						label="SHA-256 of the file"
						description="If you have it. Otherwise one beside the file is looked for."
						value={sha256}
						onChange={({ currentTarget }) => setSha256(currentTarget.value.trim())}
					/>
				)}
				<Problem error={add.error} title="It was not added" />
				<Group justify="flex-end">
					<Button type="submit" loading={add.isPending}>
						Add
					</Button>
				</Group>
			</Stack>
		</form>
	);
}

function withSum(url: string, sha256: string) {
	return sha256 === "" ? { url } : { url, sha256 };
}
