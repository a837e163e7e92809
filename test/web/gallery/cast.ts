/** Who is in the pictures: Pis of several kinds, each with something to show. */
import type { VirtualPi } from "../../harness/virtual-pi.ts";

/** What becomes of a Pi. From `agent` on, its system has the program that says what is in it, and writes. */
export type Part = "runs" | "starts" | "stops" | "lacks-files" | "agent" | "writes" | "written" | "write-fails";

export interface Actor extends VirtualPi {
	readonly name: string;
	readonly part: Part;
	readonly tags: readonly string[];
	/** Default: persistent. */
	readonly rootMode?: "ephemeral" | "read-only";
	/** How often it is switched on; once if not given, and once more where its root has a mode. */
	readonly boots?: number;
}

type Named = Omit<Actor, "mac" | "serial">;

/** Those that get into trouble come first: it takes a while until the server is sure of it. */
const leads: readonly Named[] = [
	{ name: "gate", model: "cm4", part: "lacks-files", tags: ["cameras"] },
	{ name: "printer", model: "pi3bp", part: "stops", tags: ["workshop"] },
	{ name: "camera-door", model: "pi5", part: "agent", tags: ["cameras"], boots: 5 },
	{ name: "camera-yard", model: "pi4", part: "written", tags: ["cameras"] },
	{ name: "build-1", model: "pi5", part: "writes", tags: ["workshop"] },
	{ name: "build-2", model: "pi4", part: "write-fails", tags: ["workshop"] },
	{ name: "kiosk", model: "pi4", part: "runs", tags: ["hall"], rootMode: "ephemeral" },
	{ name: "sensors", model: "pi3bp", part: "runs", tags: ["hall"], rootMode: "read-only" },
	{ name: "signs", model: "pi4", part: "starts", tags: ["hall"] },
];

const pupils = ["pi4", "pi5", "pi3bp", "pi400"];

/** The addresses that the models' makers give out. */
const makers: Readonly<Record<string, string>> = { pi5: "2c:cf:67", pi3bp: "b8:27:eb", cm4: "d8:3a:dd" };

/** The first of them are those with something to tell; the others are a class. */
export function castOf(count: number): Actor[] {
	const wanted = Array.from({ length: count }, (_, index) => leads[index] ?? pupil(index - leads.length));
	return wanted.map((named, index) => ({ ...named, ...identityOf(named.model, index) }));
}

function pupil(index: number): Named {
	const name = `classroom-${String(index + 1).padStart(2, "0")}`;
	const model = pupils[index % pupils.length] ?? "pi4";
	return { name, model, part: index % 12 === 5 ? "starts" : "runs", tags: ["class-7b"], rootMode: "ephemeral" };
}

function identityOf(model: string, index: number): Pick<Actor, "mac" | "serial"> {
	const number = ((index + 1) * 0x9e3779b1) >>> 0;
	const serial = number.toString(16).padStart(8, "0");
	const end = serial.slice(2).replace(/(..)(?=.)/g, "$1:");
	return { serial, mac: `${makers[model] ?? "dc:a6:32"}:${end}` };
}
