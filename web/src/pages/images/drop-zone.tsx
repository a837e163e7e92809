/** Where files are dropped, or chosen. */
import { Text } from "@mantine/core";
import { type DragEvent, useRef, useState } from "react";
import { UploadIcon } from "../../components/icons.tsx";
import classes from "./images.module.css";

interface DropZoneProps {
	readonly onFiles: (files: readonly File[]) => void;
	/** There are images already: it takes less room. */
	readonly isSmall: boolean;
}

export function DropZone({ onFiles, isSmall }: DropZoneProps) {
	const [isOver, setOver] = useState(false);
	const input = useRef<HTMLInputElement>(null);
	const drop = (event: DragEvent) => {
		event.preventDefault();
		setOver(false);
		onFiles([...event.dataTransfer.files]);
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
				.img, also as .xz, .gz, .zst, .bz2 or .zip
			</Text>
		</label>
	);
}
