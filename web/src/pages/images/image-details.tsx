/** Where an image came from, and what its file is. */
import type { Image } from "@pi-netboot/api";
import { Ago } from "../../components/ago.tsx";
import { Fact, Facts } from "../../components/facts.tsx";
import classes from "./images.module.css";

const ways: Readonly<Record<Image["origin"]["kind"], string>> = {
	folder: "Put into the images folder",
	path: "Used where it lies",
	download: "Downloaded",
	catalog: "From the catalogue",
	upload: "Uploaded",
};

export function ImageDetails({ image }: { readonly image: Image }) {
	const { source, origin, kernels, sha256 } = image;
	return (
		<details className={classes.more}>
			<summary>Where it came from</summary>
			<Facts>
				<Fact name="Came">
					{[ways[origin.kind], origin.entry].filter(Boolean).join(": ")}
					{origin.at !== undefined && (
						<>
							{", "}
							<Ago at={origin.at} />
						</>
					)}
				</Fact>
				{origin.checked !== undefined && (
					<Fact name="Checksum">{origin.checked ? "As it should be" : "None was known beforehand"}</Fact>
				)}
				{origin.url !== undefined && <Fact name="Address">{origin.url}</Fact>}
				<Fact name="File">{origin.path ?? source}</Fact>
				{kernels.map(({ file, version, bits }) => (
					<Fact key={file} name={`Kernel ${file}`}>
						{[version ?? "version not known", bits !== undefined && `${bits} bits`].filter(Boolean).join(", ")}
					</Fact>
				))}
			</Facts>
			{sha256 !== undefined && (
				<dl className={classes.sum}>
					<dt>SHA-256</dt>
					<dd>{sha256}</dd>
				</dl>
			)}
		</details>
	);
}
