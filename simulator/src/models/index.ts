/** The models, by their names. */
import type { Model } from "../board.ts";
import { BootError } from "../errors.ts";
import { bootcodeModels } from "./bootcode.ts";
import { pi4Model } from "./pi4.ts";
import { pi5Model } from "./pi5.ts";
import { whyUnable } from "./unable.ts";

/** A model with a bootloader in an EEPROM: `pi4-2026`, `cm4-2020-11`, `pi5-2023-10-18`. */
const DATED = /^(\w+)-(\d{4}(?:-\d{2}){0,2})$/;

function datedModel(name: string): Model | undefined {
	const [, family = "", date = ""] = DATED.exec(name) ?? [];
	return pi4Model(family, date) ?? pi5Model(family, date);
}

/** The captures of a bootloader of 2021 are of a Pi 400, and the model has the name that they gave it. */
const CAPTURED = pi4Model("pi400", "2021", "pi4-2021");

const NAMES = [
	"pi3bp",
	"pi4-2021",
	"pi4-2026",
	"pi5-2026",
	"pi3b",
	"pi3b-card",
	"pi2b",
	"pi2b-v1.1",
	"pi1bp",
	"pi1b",
	"pi4-2019-09",
	"pi4-2019-12",
	"pi4-2020-01",
	"pi4-2020-03-04",
	"pi4-2020-04",
	"pi4-2022-02",
	"pi4-2022-10",
	"pi400-2026",
	"cm4-2021",
	"cm4-2026",
	"pi5-2023-10-18",
	"pi5-2024",
	"pi5d0-2026",
	"pi500-2026",
	"pi500p-2026",
	"cm5-2026",
	"cm5l-2026",
] as const;

function modelNamed(name: string): Model | undefined {
	if (name === CAPTURED?.name) return CAPTURED;
	return bootcodeModels.find((model) => model.name === name) ?? datedModel(name);
}

/** Every kind that behaves in a way of its own. */
export const models: readonly Model[] = NAMES.map((name) => {
	const model = modelNamed(name);
	if (model === undefined) throw new TypeError(`there is no model ${name}`);
	return model;
});

/** What a room is likely to hold. */
const mixedModels: readonly Model[] = models.slice(0, 5);

const OTHER_NAMES: Readonly<Record<string, string>> = {
	pi1: "pi1bp",
	pi2: "pi2b",
	pi3: "pi3bp",
	"pi3b+": "pi3bp",
	"pi3+": "pi3bp",
	pi4: "pi4-2026",
	pi400: "pi4-2021",
	cm4: "cm4-2026",
	pi5: "pi5-2026",
	pi500: "pi500-2026",
	"pi500+": "pi500p-2026",
	pi500p: "pi500p-2026",
	cm5: "cm5-2026",
	cm5l: "cm5l-2026",
};

/** @param name of a model, a shorter one (`pi4` for `pi4-2026`), or a Pi 4 or 5 and the date of its bootloader. */
export function findModel(name: string): Model | undefined {
	const wanted = OTHER_NAMES[name.toLowerCase()] ?? name.toLowerCase();
	return models.find((model) => model.name === wanted) ?? modelNamed(wanted);
}

/** All names that `findModel` takes, but for those with other dates. */
export const modelNames: readonly string[] = [...Object.keys(OTHER_NAMES), ...models.map(({ name }) => name)];

/**
 * @param names of models with commas between them, `mixed` for a usual room, or `all`.
 * @throws BootError with a sentence when there is no such model, or when it cannot boot from the network.
 */
export function chooseModels(names: string): readonly Model[] {
	if (names === "mixed") return mixedModels;
	return names === "all" ? models : names.split(",").map((name) => needModel(name.trim()));
}

/** @throws BootError with a sentence when there is no such model, or when it cannot boot from the network. */
export function needModel(name: string): Model {
	const unable = whyUnable(name);
	if (unable !== undefined) throw new BootError(unable);
	const model = findModel(name);
	if (model !== undefined) return model;
	throw new BootError(
		`There is no model "${name}"; there are ${modelNames.join(", ")}, mixed for a usual room and all for every kind. A Pi 4 or 5 can have the date of its bootloader: pi4-2021-04.`,
	);
}
