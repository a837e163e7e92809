/** Run as a program: `packing.child.ts FOLDER IMAGE` packs an image, says `begun` when some of it is done, and at the end what came of it. */
import { readdirSync } from "node:fs";
import { isNetbootError } from "../../server/src/base/index.ts";
import { PackShelf } from "../../server/src/writes/index.ts";

const [folder = "", image = ""] = process.argv.slice(2);
const shelf = await PackShelf.open(folder);
const beginning = setInterval(() => {
	if ((shelf.progress("image")?.done ?? 0) === 0) return;
	clearInterval(beginning);
	console.log("begun");
}, 20);
const result = await shelf.get({ key: "image", image }).catch((error: unknown) => {
	if (isNetbootError(error)) return { code: error.code, message: error.message, hint: error.hint };
	throw error;
});
clearInterval(beginning);
console.log(JSON.stringify({ result, left: readdirSync(folder) }));
