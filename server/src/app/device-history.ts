/** What was of the devices, and who is there and does not boot, as the API shows it. */
import type {
	BootAttempt as ApiAttempt,
	BootPage,
	BootsQuery,
	Bystander,
	DiagnosesQuery,
	DiagnosisPage,
	PastBoot,
} from "@pi-netboot/api";
import {
	type BootAttempt,
	type BootHistory,
	type Device,
	type DeviceRegistry,
	type Bystander as Known,
	type PastDiagnosis,
	ROOT_MODES,
} from "../devices/index.ts";

/** A page of its boots. One more than is shown tells whether there is another page. */
export async function bootPage(
	registry: DeviceRegistry,
	device: Device,
	{ limit, before }: BootsQuery,
): Promise<BootPage> {
	const boots = await registry.history(device, limit + 1, before);
	const shown = boots.slice(0, limit);
	return { boots: shown.map(showBoot), next: boots.length > limit ? (shown.at(-1)?.startedAt ?? null) : null };
}

export async function diagnosisPage(
	registry: DeviceRegistry,
	device: Device,
	{ limit, before }: DiagnosesQuery,
): Promise<DiagnosisPage> {
	const all = await registry.diagnoses(device, limit + 1, before);
	const diagnoses = all.slice(0, limit);
	return {
		diagnoses: diagnoses.map(showDiagnosis),
		next: all.length > limit ? (diagnoses.at(-1)?.id ?? null) : null,
	};
}

export function showAttempt({ startedAt, bootId, stages, files }: BootAttempt): ApiAttempt {
	return {
		...{ startedAt, bootId: bootId ?? null, stages: [...stages] },
		files: files.map(({ outcome, size, firstAt, endedAt, ...file }) => ({
			...file,
			...{ outcome: outcome ?? null, size: size ?? null, at: firstAt, endedAt: endedAt ?? null },
		})),
	};
}

export function showBystander({ mac, address, reason, lastSeenAt }: Known): Bystander {
	return { mac, ip: address ?? null, reason, lastSeenAt };
}

function showBoot({ mode, stages, diagnoses, ...boot }: BootHistory): PastBoot {
	return {
		...boot,
		rootMode: ROOT_MODES.find((known) => known === mode) ?? "persistent",
		stages: stages.map(({ stage, at }) => ({ stage, at })),
		diagnoses: diagnoses.map(showDiagnosis),
	};
}

function showDiagnosis(diagnosis: PastDiagnosis): DiagnosisPage["diagnoses"][number] {
	return { ...diagnosis };
}
