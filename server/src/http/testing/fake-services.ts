/** Services for tests: a plain image and device, whatever is asked of them is recorded. */
import type { Device, Network } from "@pi-netboot/api";
import { NetbootError, silentLogger } from "../../base/index.ts";
import { EventHub } from "../event-hub.ts";
import { LogRing } from "../log-ring.ts";
import type { Services } from "../services.ts";
import { FakeUploads } from "./fake-uploads.ts";
import {
	sampleAttempt,
	sampleBoot,
	sampleBystander,
	sampleCatalog,
	sampleDefaults,
	sampleDevice,
	sampleHealth,
	sampleImage,
	sampleNetwork,
	sampleSnapshot,
	sampleWrite,
} from "./samples.ts";

export interface FakeServices extends Services {
	readonly uploads: FakeUploads;
	readonly events: EventHub;
	readonly logs: LogRing;
	/** What the changing calls were asked to do. */
	readonly calls: unknown[];
}

/** One image, one device that runs from it; `raspios-trixie` is in use, the name `taken` is taken. */
export function fakeServices(): FakeServices {
	const calls: unknown[] = [];
	const device = (id: string) => (id === sampleDevice.id || id === "88a29e114ecc" ? sampleDevice : undefined);
	return {
		calls,
		events: new EventHub(silentLogger),
		logs: new LogRing(100),
		counters: {
			list: () => [
				{ name: "dhcp_messages_total", help: "Messages.", samples: [{ labels: { type: "discover" }, value: 3 }] },
			],
		},
		health: { health: () => sampleHealth },
		network: {
			network: () => sampleNetwork,
			leases: () => [],
			change(changes) {
				calls.push(changes);
				if (changes.serverIp === "203.0.113.9") throw new NetbootError("conflict", "eth0 has no such address.");
				return { ...sampleNetwork, ...changes } as Network;
			},
			confirm() {
				calls.push("confirm");
				return sampleNetwork;
			},
		},
		images: {
			list: () => [sampleImage],
			get: (id) => (id === sampleImage.id ? sampleImage : undefined),
			add(image) {
				calls.push(image);
				return sampleImage;
			},
			change(id, { name }) {
				if (name === "taken") throw new NetbootError("image-exists", "There is a file of this name.");
				return id === sampleImage.id ? { ...sampleImage, name } : undefined;
			},
			remove(id, file) {
				calls.push({ remove: id, file });
				if (id === sampleImage.id) return { usedBy: ["pi-8f79", "bench"] };
				return id === "old" ? "removed" : "not-found";
			},
			setDefault: (id) => id === null || id === sampleImage.id,
		},
		uploads: new FakeUploads(),
		catalog: { catalog: () => sampleCatalog },
		devices: {
			list: () => [sampleDevice],
			get: device,
			change(id, changes) {
				calls.push(changes);
				if (changes.name === "taken") throw new NetbootError("name-taken", "Another device is called taken.");
				if (changes.name === "broken") throw new TypeError("a fault with a secret in it");
				const found = device(id);
				const { customisation: _secret, ...shown } = changes;
				return found === undefined ? undefined : ({ ...found, ...shown } as Device);
			},
			resetRoot: device,
			boots: (id, { before }) =>
				device(id) && { boots: before === undefined ? [sampleBoot] : [], next: before === undefined ? 1 : null },
			attempts: (id) => device(id) && [sampleAttempt],
			diagnoses: (id) => device(id) && { diagnoses: sampleBoot.diagnoses, next: null },
			bystanders: () => [sampleBystander],
		},
		virtualPis: {
			start(model, plays) {
				calls.push({ virtualPi: model, ...(plays && { plays }) });
				if (model === "pi3bp") throw new NetbootError("conflict", "Four of them boot already.");
			},
		},
		writes: {
			start(id, wish) {
				calls.push([id, wish]);
				if (wish.imageId === "huge") throw new NetbootError("disk-refused", "/dev/mmcblk0 is too small.");
				return sampleWrite;
			},
			list(query) {
				calls.push(query);
				return [sampleWrite];
			},
			get(id) {
				if (id !== sampleWrite.id) throw new NetbootError("write-not-found", "There is none.");
				return sampleWrite;
			},
			cancel: () => ({ ...sampleWrite, cancelling: true }),
			retry() {
				throw new NetbootError("conflict", "It is not over.");
			},
			reboot: (id) => ({ id, ordered: true }),
		},
		agents: {
			admit: async () => ({ isAdmitted: false, code: "agent-bad-signature" }),
			hello: async () => undefined,
			next: async () => null,
			report: async () => false,
			map: async () => undefined,
			pack: async () => undefined,
			raw: async () => undefined,
		},
		bootstrap: {
			url: "http://192.0.2.1:38434",
			installScript: (server) => `#!/bin/sh\n# ${server}\n`,
			async introduce(address, server) {
				calls.push([address, server]);
				return { agent_id: "0123456789abcdef" };
			},
			image: async () => undefined,
		},
		roots: {
			root: () => ({ bytes: 52_000_000, quotaBytes: null, roots: [], snapshots: [sampleSnapshot] }),
			changes(id, page) {
				calls.push([id, page]);
				const change = { path: "/etc/hosts", kind: "changed", type: "file", bytes: 120 } as const;
				return { changes: [change], total: 1, bytes: 120, next: null, isComplete: true };
			},
			snapshots: () => [sampleSnapshot],
			takeSnapshot(id, name) {
				calls.push([id, "take", name]);
				if (name === "clean") throw new NetbootError("conflict", "There is one already.");
				return { ...sampleSnapshot, name };
			},
			removeSnapshot(id, name) {
				calls.push([id, "remove", name]);
				if (name !== "clean") throw new NetbootError("snapshot-not-found", "There is none.");
			},
			restoreSnapshot(id, name) {
				calls.push([id, "restore", name]);
				return { ...sampleSnapshot, name };
			},
			defaults: () => sampleDefaults,
			changeDefaults(changes) {
				calls.push(changes);
				return sampleDefaults;
			},
		},
	};
}
