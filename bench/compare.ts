/** Runs two servers in turn and tells how they compare. Only ratios of one run mean anything on a machine that others use. */
import type { Load } from "./load.ts";

/** One thing that is measured on both sides. */
export interface Point {
	readonly name: string;
	/** What `figure` gives. */
	readonly unit: string;
	/** More is better. */
	readonly figure: (load: Load) => number;
	readonly cpuUnit: string;
	/** Processor time of the server per unit of work; less is better. */
	readonly cpu: (load: Load) => number;
	/** What the ratios are to be at least, and at most. */
	readonly aim?: { readonly figure?: number; readonly cpu?: number };
}

export interface Compared {
	readonly point: Point;
	readonly ours: readonly Load[];
	readonly peer: readonly Load[];
}

/** Runs A B, B A, A B, ... after one of each that does not count. */
export async function comparePoint(
	point: Point,
	rounds: number,
	ours: () => Promise<Load>,
	peer: () => Promise<Load>,
): Promise<Compared> {
	await ours();
	await peer();
	const compared = { point, ours: [] as Load[], peer: [] as Load[] };
	const sides = [
		{ run: ours, loads: compared.ours },
		{ run: peer, loads: compared.peer },
	];
	for (let round = 0; round < rounds; round++) {
		for (const { run, loads } of round % 2 === 0 ? sides : sides.toReversed()) loads.push(await run());
	}
	return compared;
}

export interface Spread {
	readonly median: number;
	readonly min: number;
	readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = sorted[sorted.length >> 1] ?? Number.NaN;
	const median = sorted.length % 2 === 1 ? middle : (middle + (sorted[(sorted.length >> 1) - 1] ?? Number.NaN)) / 2;
	return { median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

function short(value: number): string {
	if (value >= 10_000) return `${(value / 1000).toFixed(0)}k`;
	return value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}

function told({ median, min, max }: Spread): string {
	return `${short(median)} (${short(min)}-${short(max)})`;
}

/** The heads of the columns of `row`. */
export function heads(peer: string): readonly string[] {
	return ["", "ours", peer, "ratio", "cpu ours", `cpu ${peer}`, "ratio", "aim"];
}

/** One line of the table. */
export function row({ point, ours, peer }: Compared): readonly string[] {
	const [a, b] = [spreadOf(ours.map(point.figure)), spreadOf(peer.map(point.figure))];
	const [cpuA, cpuB] = [spreadOf(ours.map(point.cpu)), spreadOf(peer.map(point.cpu))];
	const [speed, cpu] = [a.median / b.median, cpuA.median / cpuB.median];
	return [
		`${point.name}, ${point.unit}`,
		told(a),
		told(b),
		`${speed.toFixed(2)}x`,
		`${short(cpuA.median)} ${point.cpuUnit}`,
		`${short(cpuB.median)} ${point.cpuUnit}`,
		`${cpu.toFixed(2)}x`,
		aimed(point, speed, cpu),
	];
}

function aimed({ aim = {} }: Point, speed: number, cpu: number): string {
	const parts: string[] = [];
	if (aim.figure !== undefined) parts.push(`>= ${aim.figure}x ${speed >= aim.figure ? "met" : "MISSED"}`);
	if (aim.cpu !== undefined) parts.push(`cpu <= ${aim.cpu}x ${cpu <= aim.cpu ? "met" : "MISSED"}`);
	return parts.join(", ");
}

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
	const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
	const line = (cells: readonly string[]) =>
		cells
			.map((cell, column) => cell.padEnd(widths[column] ?? 0))
			.join("  ")
			.trimEnd();
	return rows.map(line).join("\n");
}
