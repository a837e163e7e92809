/** The models, by their names. */
import type { Model } from "../board.ts";
import { pi3b, pi3bp } from "./pi3.ts";
import { pi4of2021, pi4of2026 } from "./pi4.ts";
import { pi5of2026 } from "./pi5.ts";

export const models: readonly Model[] = [pi3bp, pi4of2021, pi4of2026, pi5of2026, pi3b];

const OTHER_NAMES: Readonly<Record<string, string>> = {
	pi3: "pi3bp",
	"pi3b+": "pi3bp",
	"pi3+": "pi3bp",
	pi4: "pi4-2026",
	pi400: "pi4-2021",
	pi5: "pi5-2026",
};

/** @param name of a model, or a shorter one: `pi4` for `pi4-2026`. */
export function findModel(name: string): Model | undefined {
	const wanted = OTHER_NAMES[name.toLowerCase()] ?? name.toLowerCase();
	return models.find((model) => model.name === wanted);
}

/** All names that `findModel` takes. */
export const modelNames: readonly string[] = [...Object.keys(OTHER_NAMES), ...models.map(({ name }) => name)];
