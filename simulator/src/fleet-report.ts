/** What is to be said of many boots: how many, how long, and why the others did not. */
import type { BootReport } from "./report.ts";

/** Seconds from power-on to the end of the boot. */
export interface Times {
	readonly shortest: number;
	readonly median: number;
	readonly percentile90: number;
	readonly percentile99: number;
	readonly longest: number;
}

export interface FleetSummary {
	readonly count: number;
	readonly booted: number;
	/** Of those that booted; undefined when none has. */
	readonly seconds: Times | undefined;
	readonly slowest: { readonly serial: string; readonly model: string; readonly seconds: number } | undefined;
	/** Bytes that came by TFTP. */
	readonly bytes: number;
	readonly failures: readonly {
		readonly reason: string;
		readonly count: number;
		readonly serials: readonly string[];
	}[];
}

const seconds = ({ steps }: BootReport): number => (steps.at(-1)?.atMs ?? 0) / 1000;

export function fleetSummary(reports: readonly BootReport[]): FleetSummary {
	const booted = reports.filter(({ ok }) => ok).sort((one, other) => seconds(one) - seconds(other));
	const failed = reports.filter(({ ok }) => !ok);
	const reasons = [...Map.groupBy(failed, kindOf).values()];
	const last = booted.at(-1);
	return {
		count: reports.length,
		booted: booted.length,
		seconds: times(booted.map(seconds)),
		slowest: last && { serial: last.serial, model: last.model, seconds: seconds(last) },
		bytes: reports.reduce((sum, { sizes }) => sum + [...sizes.values()].reduce((all, size) => all + size, 0), 0),
		failures: reasons.map((those) => ({
			reason: those[0]?.error ?? "for no known reason",
			count: those.length,
			serials: those.map(({ serial }) => serial),
		})),
	};
}

/** What failures have in common that differ in who it was and in numbers. */
function kindOf({ error = "", serial, address = "-" }: BootReport): string {
	return error.replaceAll(serial.slice(-8), "").replaceAll(address, "").replace(/\d+/g, "0");
}

/** @param sorted the shortest first. */
function times(sorted: readonly number[]): Times | undefined {
	// Nearest rank: the smallest value that so many percent do not exceed.
	const rank = (percent: number) => sorted[Math.max(Math.ceil((percent / 100) * sorted.length), 1) - 1] ?? 0;
	if (sorted.length === 0) return undefined;
	return {
		shortest: rank(0),
		median: rank(50),
		percentile90: rank(90),
		percentile99: rank(99),
		longest: rank(100),
	};
}

/** For a person: how many booted, a table of the models, and for the others each reason once. */
export function fleetLines(reports: readonly BootReport[]): string[] {
	const { count, booted, failures, slowest } = fleetSummary(reports);
	const all = failures.length > 0 ? `${booted} of ${count}` : count === 1 ? "The" : `All ${count}`;
	const lines = ["", `${all} virtual Pi${count === 1 ? "" : "s"} booted.`];
	for (const { reason, count: those } of failures) {
		lines.push(`  ${those} did not${those > 1 && count > 1 ? ", like this" : ""}: ${reason}`);
	}
	if (count === 1 || slowest === undefined) return lines;
	const slowestLine = `The slowest was ${slowest.serial.slice(-8)} (${slowest.model}).`;
	return [...lines, "", ...table(reports), "", slowestLine];
}

const COLUMNS = ["model", "Pis", "booted", "shortest", "median", "90 %", "99 %", "longest"];

function table(reports: readonly BootReport[]): string[] {
	const byModel = [...Map.groupBy(reports, ({ model }) => model)];
	const rows = byModel.map(([model, those]) => row(model, those));
	if (rows.length > 1) rows.push(row("all", reports));
	const widths = COLUMNS.map((title, at) => Math.max(title.length, ...rows.map((cells) => (cells[at] ?? "").length)));
	return [COLUMNS, ...rows].map((cells) =>
		cells
			.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
			.join("  ")
			.trimEnd(),
	);
}

function row(name: string, reports: readonly BootReport[]): string[] {
	const { count, booted, seconds: took } = fleetSummary(reports);
	const cells =
		took === undefined ? [] : [took.shortest, took.median, took.percentile90, took.percentile99, took.longest];
	return [name, String(count), String(booted), ...cells.map((value) => `${value.toFixed(2)} s`)];
}
