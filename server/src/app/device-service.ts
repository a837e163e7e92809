/** The devices as the API shows them. */
import type {
	Customisation as ApiCustomisation,
	Device as ApiDevice,
	BootAttempt,
	BootPage,
	BootsQuery,
	Bystander,
	DeviceAgent,
	DeviceChanges,
	DiagnosesQuery,
	DiagnosisPage,
} from "@pi-netboot/api";
import { NetbootError } from "../base/index.ts";
import {
	type Boot,
	type Customisation,
	type Device,
	DeviceError,
	type DeviceRegistry,
	modelName,
} from "../devices/index.ts";
import type { DeviceService } from "../http/index.ts";
import { bootPage, diagnosisPage, showAttempt, showBystander } from "./device-history.ts";
import { withPasswordHashed } from "./hashed-password.ts";

export class DeviceAnswers implements DeviceService {
	readonly #registry: DeviceRegistry;
	readonly #bytesOf: (device: Device) => number;
	readonly #agentOf: (device: Device) => DeviceAgent | null;
	readonly #gapsOf: (device: Device) => readonly string[];

	/** @param bytesOf what its roots take on the disk. @param gapsOf what its image cannot take, in sentences. */
	constructor(
		registry: DeviceRegistry,
		bytesOf: (device: Device) => number,
		agentOf: (device: Device) => DeviceAgent | null,
		gapsOf: (device: Device) => readonly string[] = () => [],
	) {
		this.#registry = registry;
		this.#bytesOf = bytesOf;
		this.#agentOf = agentOf;
		this.#gapsOf = gapsOf;
	}

	list(): ApiDevice[] {
		return this.#registry.list().map((device) => this.show(device));
	}

	get(id: string): ApiDevice | undefined {
		const device = this.#registry.get(id);
		return device === undefined ? undefined : this.show(device);
	}

	async change(id: string, changes: DeviceChanges): Promise<ApiDevice | undefined> {
		return this.#answer(id, async () => {
			const { customisation, ...others } = changes;
			if (customisation === undefined) return this.#registry.patch(id, others);
			return this.#registry.patch(id, { ...others, customisation: await withPasswordHashed(customisation) });
		});
	}

	async resetRoot(id: string): Promise<ApiDevice | undefined> {
		return this.#answer(id, () => this.#registry.resetRoot(id));
	}

	async boots(id: string, page: BootsQuery): Promise<BootPage | undefined> {
		const device = this.#registry.get(id);
		return device && bootPage(this.#registry, device, page);
	}

	attempts(id: string): BootAttempt[] | undefined {
		const device = this.#registry.get(id);
		return device && this.#registry.attempts(device).map(showAttempt);
	}

	async diagnoses(id: string, page: DiagnosesQuery): Promise<DiagnosisPage | undefined> {
		const device = this.#registry.get(id);
		return device && diagnosisPage(this.#registry, device, page);
	}

	bystanders(): Bystander[] {
		return this.#registry.bystanders().map(showBystander);
	}

	async #answer(id: string, act: () => Promise<Device>): Promise<ApiDevice | undefined> {
		if (this.#registry.get(id) === undefined) return undefined;
		try {
			return this.show(await act());
		} catch (error) {
			if (error instanceof DeviceError) throw new NetbootError(error.code, error.message, { cause: error });
			throw error;
		}
	}

	/** One device. */
	show(device: Device): ApiDevice {
		const registry = this.#registry;
		const stages = registry.stages(device);
		const diagnosis = registry.diagnosis(device);
		return {
			id: device.id,
			mac: device.mac,
			ip: registry.addressesOf(device)[0]?.address ?? null,
			model: device.model,
			modelName: device.model === null ? null : modelName(device.model, device.revision),
			name: device.name,
			imageId: device.imageId,
			rootMode: registry.rootModeOf(device),
			intent: device.intent,
			writeTarget: device.writeTarget,
			tags: [...device.tags],
			customisation: showCustomisation(device.customisation),
			quotaBytes: device.quotaBytes,
			rootBytes: this.#bytesOf(device),
			stage: stages.at(-1)?.stage ?? null,
			stages: stages.map(({ stage, at }) => ({ stage, at })),
			bootCount: device.bootCount,
			lastBootAt: device.lastBootAt,
			boot: showBoot(registry.bootsOf(device)[0]),
			agent: this.#agentOf(device),
			findings: this.#gapsOf(device).map(showGap),
			...(diagnosis === undefined ? {} : { diagnosis: { ...diagnosis } }),
		};
	}
}

function showBoot(boot: Boot | undefined): ApiDevice["boot"] {
	return boot === undefined ? null : { imageId: boot.imageId, buildId: boot.buildId, rootMode: boot.mode };
}

/** A sentence of the log begins with the name of the device, and so in lower case. */
function showGap(gap: string): ApiDevice["findings"][number] {
	const message = `${gap.charAt(0).toUpperCase()}${gap.slice(1)}.`;
	const fix = "Set something else, or take an image that has what it needs; it counts from the next boot on.";
	return { code: "customisation-not-taken", severity: "warning", message, fix };
}

/** Without what is secret. */
export function showCustomisation({
	passwordHash,
	userData,
	authorizedKeys,
	...open
}: Customisation): ApiCustomisation {
	return {
		...open,
		...(authorizedKeys !== undefined && { authorizedKeys: [...authorizedKeys] }),
		passwordSet: passwordHash !== undefined,
		userDataSet: userData !== undefined,
	};
}
