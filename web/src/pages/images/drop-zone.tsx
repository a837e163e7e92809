/** Where files are dropped, or chosen. */
import { Text } from "@mantine/core";
import { type DragEvent, useRef, useState } from "react";
import { UploadIcon } from "../../components/icons.tsx";
import classes from "./images.module.css";

interface DropZoneProps {
	readonly onFiles: (files: readonly File[]) => void;
	/** Something was dropped that is no file; its name. */
	readonly onFolder: (name: string) => void;
	/** There are images already: it takes less room. */
	readonly isSmall: boolean;
}

export function DropZone({ onFiles, onFolder, isSmall }: DropZoneProps) {
	const [isOver, setOver] = useState(false);
	const input = useRef<HTMLInputElement>(null);
	const drop = (event: DragEvent) => {
		event.preventDefault();
		setOver(false);
		const { files, folders } = sortOut(event.dataTransfer);
		onFiles(files);
		for (const name of folders) onFolder(name);
	};
	return (
		<label
			className={classes.zone}
			data-over={isOver || undefined}
			data-small={isSmall || undefined}
			onDragOver={(event) => {
				event.preventDefault();
				setOver(true);
			}}
			onDragLeave={() => setOver(false)}
			onDrop={drop}
		>
			<input
				ref={input}
				type="file"
				multiple
				className={classes.file}
				onChange={({ currentTarget }) => {
					onFiles([...(currentTarget.files ?? [])]);
					// The same file may be chosen again, to go on with it.
					currentTarget.value = "";
				}}
			/>
			<UploadIcon size={isSmall ? 20 : 32} />
			<Text fw={600}>Drop an image here, or choose one</Text>
			<Text size="sm" c="dimmed">
				A disk as .img or a root as .tar, also packed as .xz, .gz, .zst or .zip
			</Text>
		</label>
	);
}

/** A folder comes as a file too, which cannot be read. */
function sortOut({ items, files }: DataTransfer): { files: File[]; folders: string[] } {
	const entries = [...items].map((item) => item.webkitGetAsEntry());
	const folders = entries.filter((entry) => entry?.isDirectory).map((entry) => entry?.name ?? "");
	return { files: [...files].filter(({ name }) => !folders.includes(name)), folders };
}
