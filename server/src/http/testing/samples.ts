/** One of each thing that the API shows, for tests. */
import type {
	BootAttempt,
	Bystander,
	Catalog,
	Defaults,
	Device,
	Health,
	Image,
	Lease,
	Network,
	PastBoot,
	Snapshot,
	Write,
} from "@pi-netboot/api";
import type { LogLine } from "../../base/index.ts";

export const sampleImage: Image = {
	id: "raspios-trixie",
	name: "raspios-trixie.img",
	source: "/images/raspios-trixie.img",
	origin: { kind: "folder" },
	state: "ready",
	bootable: true,
	size: 3_000_000_000,
	usedBytes: 1_800_000_000,
	diskBytes: 3_000_000_000,
	os: { id: "raspios", name: "Raspberry Pi OS 13 (trixie)" },
	kernels: [{ file: "kernel8.img", version: "6.12.47+rpt-rpi-v8", bits: 64 }],
	models: ["pi4", "pi5"],
	usedBy: ["pi-8f79", "bench"],
	builds: [
		{
			id: "0011223344556677",
			isNewest: true,
			usedAt: 1_700_000_000_000,
			usedBy: ["pi-8f79", "bench"],
			roots: 2,
			bytes: 52_000_000,
		},
	],
	findings: [],
	isDefault: true,
	modifiedAt: 1_700_000_000_000,
};

export const sampleDevice: Device = {
	id: "7bf18f79",
	mac: "88:a2:9e:11:4e:cc",
	ip: "192.0.2.20",
	model: "pi5",
	modelName: "Raspberry Pi 5 Model B, 8 GB",
	name: "pi-8f79",
	imageId: null,
	rootMode: "persistent",
	intent: "netboot",
	writeTarget: null,
	tags: [],
	customisation: { passwordSet: false, userDataSet: false },
	quotaBytes: null,
	rootBytes: 0,
	stage: "kernel",
	stages: [
		{ stage: "dhcp", at: 1_700_000_000_000 },
		{ stage: "firmware", at: 1_700_000_002_000 },
		{ stage: "kernel", at: 1_700_000_009_000 },
	],
	bootCount: 3,
	lastBootAt: 1_700_000_002_000,
	boot: null,
	agent: null,
	findings: [],
};

export const sampleWrite: Write = {
	id: "0123456789abcdef",
	deviceId: "7bf18f79",
	deviceName: "pi-8f79",
	imageId: "raspios-trixie",
	imageName: "raspios-trixie.img",
	buildId: "b1",
	map: "ab".repeat(32),
	target: "/dev/mmcblk0",
	disk: { model: "SC32G", serial: "0x1234", size: 32_000_000_000, identity: "035344534333324780" },
	verify: "full",
	origin: "person",
	stage: "writing",
	cancelling: false,
	percent: 42.5,
	bytesDone: 900_000_000,
	bytesTotal: 1_800_000_000,
	bytesPerSecond: 38_000_000,
	secondsLeft: 60,
	wireBytes: 300_000_000,
	zeroedBytes: 0,
	verifiedBytes: 0,
	zeroBytes: 100_000_000,
	retries: 0,
	attempts: 1,
	times: [{ stage: "wiping", at: 1_700_000_010_000 }],
	createdAt: 1_700_000_009_000,
	endedAt: null,
};

export const sampleHealth: Health = {
	status: "degraded",
	version: "0.1.0",
	services: {
		dhcp: {
			state: "failed",
			port: 67,
			error: "port 67 may not be bound by this user",
			hint: "sudo sysctl net.ipv4.ip_unprivileged_port_start=67",
		},
		tftp: { state: "running", port: 6969 },
		nfs: { state: "running", port: 20049 },
		portmap: { state: "off", port: 111 },
		netconsole: { state: "running", port: 6666 },
	},
};

export const sampleNetwork: Network = {
	mode: "proxy",
	serverIp: "192.0.2.2",
	interface: "eth0",
	range: null,
	subnets: [],
	leaseSeconds: 3600,
	serveEverybody: false,
	insist: false,
	unconfirmedUntil: null,
	notes: [],
	leases: [],
	leaseCount: 0,
	interfaces: [
		{
			name: "eth0",
			mac: "02:00:00:00:00:01",
			addresses: [{ address: "192.0.2.2", netmask: "255.255.255.0" }],
			kind: "wired",
			defaultRoute: true,
		},
	],
	otherDhcpServers: [{ address: "192.0.2.1", lastSeenAt: 1_700_000_000_000 }],
};

export const sampleLease: Lease = {
	address: "192.0.2.100",
	mac: "88:a2:9e:11:4e:cc",
	deviceId: "7bf18f79",
	name: "pi-8f79",
	state: "leased",
	expiresAt: 1_700_000_003_600,
};

export const sampleCatalog: Catalog = {
	url: "http://127.0.0.1/list.json",
	fetchedAt: 1_700_000_000_000,
	notes: [],
	entries: [
		{
			id: "raspios-lite",
			name: "Raspberry Pi OS Lite",
			description: "Without a desktop",
			category: ["Raspberry Pi OS (other)"],
			url: "http://127.0.0.1/raspios-lite.img.xz",
			size: 3_000_000_000,
			downloadSize: 500_000_000,
			releaseDate: "2026-10-01",
			models: ["pi4", "pi5"],
			canNetboot: true,
		},
		{
			id: "eeprom",
			name: "Bootloader",
			description: "",
			category: ["Misc utility images"],
			url: "http://127.0.0.1/eeprom.zip",
			size: null,
			downloadSize: null,
			releaseDate: null,
			models: [],
			canNetboot: false,
			reason: "It has no root file system.",
		},
	],
};

export const sampleAttempt: BootAttempt = {
	startedAt: 1_700_000_001_000,
	bootId: null,
	stages: [{ stage: "firmware", at: 1_700_000_001_000, bytes: 2048 }],
	files: [
		{
			...{ path: "config.txt", answer: "found", outcome: "complete", bytes: 2048, size: 2048 },
			...{ times: 1, at: 1_700_000_001_000, endedAt: 1_700_000_001_500 },
		},
	],
};

export const sampleBoot: PastBoot = {
	id: "00112233aabbccdd",
	imageId: "raspios-trixie",
	buildId: "b1",
	rootMode: "persistent",
	startedAt: 1_700_000_002_000,
	mountedAt: null,
	endedAt: null,
	stages: sampleDevice.stages,
	diagnoses: [
		{
			id: 7,
			bootId: "00112233aabbccdd",
			code: "no-mount",
			severity: "error",
			message: "Its kernel has an address, but never asked for its root.",
			seen: "Its kernel asked for an address; 20 seconds later it had not asked for its root.",
			fix: "Open the firewall.",
			at: 1_700_000_030_000,
			endedAt: null,
		},
	],
};

export const sampleBystander: Bystander = {
	mac: "28:cd:c1:00:00:01",
	ip: null,
	reason: "It booted a system from its own disk.",
	lastSeenAt: 1_700_000_000_000,
};

export const sampleSnapshot: Snapshot = {
	name: "clean",
	imageId: "raspios-trixie",
	buildId: "b1",
	createdAt: 1_700_000_000_000,
	bytes: 52_000_000,
};

export const sampleDefaults: Defaults = {
	rootMode: "persistent",
	quotaBytes: 0,
	customisation: { passwordSet: false, userDataSet: false },
	oldRoots: { kept: 2, days: 30, budgetBytes: null },
	bytes: 52_000_000,
	freeBytes: 9_000_000_000,
};

export function logLine(message: string, more: Partial<LogLine> = {}): LogLine & { id: number } {
	return { id: 1, time: 1_700_000_000_000, level: "info", service: "boot", message, ...more };
}
