/** The images: what there is, where more come from, which one the Pis get. */
import { Alert, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState, useSyncExternalStore } from "react";
import { devicesQuery, imagesQuery } from "../../api/queries.ts";
import { AlertIcon } from "../../components/icons.tsx";
import { PageFrame } from "../../components/page-frame.tsx";
import { Problem } from "../../components/problem.tsx";
import { bytesText } from "../../words/bytes.ts";
import { AddFromAddress } from "./add-from-address.tsx";
import { CatalogButton } from "./catalog.tsx";
import { DropZone } from "./drop-zone.tsx";
import { ImageCard } from "./image-card.tsx";
import classes from "./images.module.css";
import { UploadRow } from "./upload-row.tsx";
import { uploads } from "./uploads.ts";

export function ImagesPage() {
	const { data: images, error, refetch } = useQuery({ ...imagesQuery, refetchOnMount: "always" });
	const { data: devices = [] } = useQuery(devicesQuery);
	const [folder, setFolder] = useState<string>();
	const running = useSyncExternalStore(uploads.subscribe, uploads.views);
	const sorted = images?.toSorted((a, b) => Number(b.isDefault) - Number(a.isDefault) || b.modifiedAt - a.modifiedAt);
	const bytes = images?.reduce((sum, { size }) => sum + size, 0) ?? 0;
	const chosen = new Set(devices.map(({ imageId }) => imageId));
	return (
		<PageFrame
			title="Images"
			lead={images === undefined || images.length === 0 ? undefined : sumText(images.length, bytes)}
			actions={
				<>
					<CatalogButton />
					<AddFromAddress />
				</>
			}
		>
			<Problem error={error} title="The images cannot be shown" onRetry={() => void refetch()} />
			<DropZone onFiles={addAll} onFolder={setFolder} isSmall={(images?.length ?? 0) > 0} />
			{folder !== undefined && (
				<Alert
					color="yellow"
					variant="light"
					icon={<AlertIcon />}
					title={`${folder} is a folder`}
					withCloseButton
					closeButtonLabel="Close"
					onClose={() => setFolder(undefined)}
				>
					A browser cannot send its owners and modes. Make one file of it (sudo tar --numeric-owner -C {folder} -cf{" "}
					{folder}
					.tar .) and drop that, or copy the folder into the images folder on the server.
				</Alert>
			)}
			{running.length > 0 && (
				<Stack gap="xs" role="region" aria-label="Uploads">
					{running.map((view) => (
						<UploadRow key={view.key} view={view} />
					))}
				</Stack>
			)}
			{images === undefined && error === null && <Skeleton h={180} aria-busy="true" />}
			{images?.length === 0 && (
				<Text c="dimmed" size="sm">
					No image yet. One that is copied into the images folder on the server appears here, too.
				</Text>
			)}
			<ul className={classes.cards}>
				{sorted?.map((image) => (
					<li key={image.id}>
						<ImageCard
							image={image}
							devices={devices.filter(({ imageId }) => imageId === image.id || (imageId === null && image.isDefault))}
							isChosen={chosen.has(image.id)}
						/>
					</li>
				))}
			</ul>
		</PageFrame>
	);
}

function addAll(files: readonly File[]): void {
	for (const file of files) uploads.add(file);
}

/** `2 images, 3.1 GB` */
function sumText(count: number, bytes: number): string {
	return `${count === 1 ? "1 image" : `${count} images`}, ${bytesText(bytes)}`;
}
