/** Figures for Prometheus, in its text format 0.0.4. */
import { type Device, type Health, Image, Lease, Stage, type Write, WriteStage } from "@pi-netboot/api";
import type { Tally } from "../base/index.ts";
import type { Counter } from "./services.ts";

export interface Figures {
	readonly health: Health;
	readonly images: readonly Image[];
	readonly devices: readonly Device[];
	readonly leases: readonly Lease[];
	readonly writes: readonly Write[];
	/** Machines that are seen and do not boot from here. */
	readonly bystanders: number;
	readonly counters: readonly Counter[];
	/** Requests that were answered, by method and status. */
	readonly answered: Tally;
	readonly eventStreams: number;
}

interface Sample {
	readonly labels?: Readonly<Record<string, string>>;
	readonly value: number;
}

export function metricsText(figures: Figures): string {
	return [
		gauge("pi_netboot_info", "The version of the server.", [{ labels: { version: figures.health.version }, value: 1 }]),
		gauge("pi_netboot_service_up", "1 while the service runs.", serviceSamples(figures.health)),
		gauge(
			"pi_netboot_images",
			"Images by state.",
			countBy(figures.images, "state", (image) => image.state, Image.shape.state.options),
		),
		gauge("pi_netboot_devices", "Devices by the stage that their last boot reached.", stageSamples(figures.devices)),
		gauge("pi_netboot_device_boots", "Boots that were counted, per device.", bootSamples(figures.devices)),
		gauge(
			"pi_netboot_dhcp_leases",
			"Addresses of full DHCP by state.",
			countBy(figures.leases, "state", (lease) => lease.state, Lease.shape.state.options),
		),
		gauge(
			"pi_netboot_diagnoses",
			"Devices by what is wrong with their boot.",
			countBy(
				figures.devices.filter(({ diagnosis }) => diagnosis !== undefined),
				"code",
				({ diagnosis }) => diagnosis?.code ?? "",
			),
		),
		gauge("pi_netboot_bystanders", "Machines that are seen and do not boot from here.", [
			{ value: figures.bystanders },
		]),
		gauge(
			"pi_netboot_writes",
			"Write jobs by stage, the last thousand.",
			countBy(figures.writes, "stage", ({ stage }) => stage, WriteStage.options),
		),
		family(
			"counter",
			"pi_netboot_http_requests_total",
			"Requests that were answered over HTTP, by method and status.",
			figures.answered.list(),
		),
		...figures.counters.map(({ name, help, samples }) => family("counter", `pi_netboot_${name}`, help, samples)),
		gauge("pi_netboot_event_streams", "Clients that listen to live events.", [{ value: figures.eventStreams }]),
		gauge("process_resident_memory_bytes", "Memory of the process.", [{ value: process.memoryUsage.rss() }]),
		family("counter", "process_cpu_seconds_total", "Time of the processor that was used.", [{ value: cpuSeconds() }]),
		gauge("process_start_time_seconds", "When the process started, since 1970.", [{ value: startTime() }]),
	].join("");
}

function gauge(name: string, help: string, samples: readonly Sample[]): string {
	return family("gauge", name, help, samples);
}

function family(type: "gauge" | "counter", name: string, help: string, samples: readonly Sample[]): string {
	const lines = samples.map(({ labels = {}, value }) => `${name}${labelText(labels)} ${value}\n`);
	return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function cpuSeconds(): number {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1e6;
}

function labelText(labels: Readonly<Record<string, string>>): string {
	const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
	return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
	return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function serviceSamples(health: Health): Sample[] {
	return Object.entries(health.services).map(([service, { state }]) => ({
		labels: { service },
		value: state === "running" ? 1 : 0,
	}));
}

function stageSamples(devices: readonly Device[]): Sample[] {
	return countBy(devices, "stage", (device) => device.stage ?? "none", ["none", ...Stage.options]);
}

function bootSamples(devices: readonly Device[]): Sample[] {
	return devices.map((device) => ({ labels: { device: device.id }, value: device.bootCount }));
}

/** @param known groups that are told where nothing is in them, too: who watches a figure does not lose it at zero. */
function countBy<T>(
	things: readonly T[],
	label: string,
	group: (thing: T) => string,
	known: readonly string[] = [],
): Sample[] {
	const counts = new Map(known.map((value) => [value, 0]));
	for (const thing of things) counts.set(group(thing), (counts.get(group(thing)) ?? 0) + 1);
	return [...counts].map(([value, count]) => ({ labels: { [label]: value }, value: count }));
}

function startTime(): number {
	return Math.round(Date.now() / 1000 - process.uptime());
}
