/** The builds of an image that count for somebody: the newest, and older ones that Pis run or have roots of. */
import { Text } from "@mantine/core";
import type { Image } from "@pi-netboot/api";
import { Ago } from "../../components/ago.tsx";
import { bytesText } from "../../words/bytes.ts";
import { namesText } from "../../words/models.ts";
import classes from "./images.module.css";

type Build = Image["builds"][number];

/** With one alone there is nothing to tell apart. */
export function ImageBuilds({ builds }: { readonly builds: readonly Build[] }) {
	const older = builds.filter(({ isNewest }) => !isNewest);
	if (older.length === 0) return null;
	return (
		<details className={classes.more}>
			<summary>{older.length === 1 ? "1 older build" : `${older.length} older builds`}</summary>
			<ul className={classes.builds}>
				{builds.map((build) => (
					<li key={build.id}>
						<Text size="sm">
							{build.isNewest ? "The newest" : `Build ${build.id.slice(0, 8)}`}
							{build.usedAt !== null && (
								<>
									{", booted last "}
									<Ago at={build.usedAt} />
								</>
							)}
						</Text>
						<Text size="xs" c="dimmed">
							{textOf(build)}
						</Text>
					</li>
				))}
			</ul>
			<Text size="xs" c="dimmed">
				Each boot gets the newest. The server keeps no copies of image files, so it cannot go back by itself: put the
				older file in its place again, or add it as an image of its own.
			</Text>
		</details>
	);
}

/** `bench and shelf run it. 2 roots of it, 34 MB.` */
function textOf({ usedBy, roots, bytes, isNewest }: Build): string {
	const until = isNewest ? "" : usedBy.length === 1 ? " until it boots again" : " until they boot again";
	const run = usedBy.length > 0 && `${namesText(usedBy)} ${usedBy.length === 1 ? "runs" : "run"} it${until}.`;
	const kept = roots > 0 && `${roots === 1 ? "1 root" : `${roots} roots`} of it, ${bytesText(bytes)}.`;
	return [run, kept].filter(Boolean).join(" ") || "No Pi runs it.";
}
