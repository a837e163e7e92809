/** A Pi for tests. */
import type { Device } from "@pi-netboot/api";

export function sampleDevice(more: Partial<Device> = {}): Device {
	return {
		id: "7bf18f79",
		mac: "88:a2:9e:11:4e:cc",
		ip: "192.0.2.20",
		model: "pi4",
		modelName: null,
		name: "pi-8f79",
		imageId: null,
		rootMode: "persistent",
		intent: "netboot",
		writeTarget: null,
		tags: [],
		customisation: { passwordSet: false, userDataSet: false },
		quotaBytes: null,
		rootBytes: 0,
		stage: null,
		stages: [],
		bootCount: 0,
		lastBootAt: null,
		boot: null,
		agent: null,
		findings: [],
		...more,
	};
}
