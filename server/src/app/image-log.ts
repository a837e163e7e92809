/** What the log says of the images: each as it is there at the start, comes, becomes another, and goes. */
import type { Logger } from "../base/index.ts";
import type { ImageLibrary, LibraryImage } from "../images/index.ts";

/** Tells the log until the function that it gives is called. */
export function logImages(library: ImageLibrary, folder: string, log: Logger): () => void {
	const said = new Map<string, string>();
	const say = (image: LibraryImage) => {
		const sentence = describe(image);
		if (sentence === undefined || said.get(image.id) === sentence) return;
		said.set(image.id, sentence);
		log[image.state === "broken" ? "warn" : "info"](`${image.id} ${sentence}`);
	};
	const sayGone = ({ id }: LibraryImage) => {
		said.delete(id);
		log.info(`${id} is gone`);
	};
	const images = library.list();
	for (const image of images) say(image);
	if (images.length === 0) log.info(`no image yet: copy an .img, an .img.xz or a .zip into ${folder}`);
	library.events.on("added", say).on("changed", say).on("removed", sayGone);
	return () => void library.events.off("added", say).off("changed", say).off("removed", sayGone);
}

/** Nothing while it is still being looked at. */
function describe({ state, isBootable, facts, findings }: LibraryImage): string | undefined {
	if (state === "importing") return isBootable ? "can be booted already, while the rest is unpacked" : undefined;
	const error = findings.find(({ severity }) => severity === "error");
	const reason = error === undefined ? "" : ` ${error.message} ${error.fix ?? ""}`.trimEnd();
	if (state === "broken") return `cannot be used:${reason}`;
	const models = facts?.models.map(({ model }) => model) ?? [];
	const boots = models.length === 0 ? "boots no model" : `boots ${models.join(", ")}`;
	return `is ready: ${facts?.os?.name ?? "a system without a name"}, ${boots}.${reason}`;
}
