/**
 * What agents and the server say to each other; `docs/agent-protocol.md` tells it as a story. Every request and every
 * answer is signed with the secret of the boot.
 */
import { z } from "zod";
import { Bytes } from "./common.ts";

const Text = z.string().max(4096);
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 hex digits");
/** One bit per chunk, the lowest bit of the first byte is chunk 0. */
const Bitmap = z.base64().max(100_000).describe("A bit per chunk: those that are on the disk for certain.");

export const AgentFailure = z
	.object({
		code: z.string().max(64),
		message: Text.describe("A sentence for a person."),
		offset: z.int().min(0).optional().describe("Byte of the disk."),
		chunk: z.int().min(0).optional(),
		errno: z.string().max(32).optional(),
		size: Bytes.optional(),
		needed: Bytes.optional(),
	})
	.meta({ id: "AgentFailure" });
export type AgentFailure = z.infer<typeof AgentFailure>;

export const AgentPartition = z
	.object({ path: Text, size: Bytes, content: Text.describe("`ext`, `fat`; empty when unknown.") })
	.meta({ id: "AgentPartition" });

export const AgentDisk = z
	.object({
		path: z.string().max(64),
		size: Bytes,
		model: Text,
		serial: Text,
		identity: Text.describe("Tells it from all others: a card's CID, WWID or serial number; empty when it has none."),
		diskseq: z.int().min(0).describe("The kernel's count of disks that were put in; 0 when it does not count."),
		readOnly: z.boolean(),
		removable: z.boolean(),
		content: Text,
		partitions: z.array(AgentPartition).max(256),
		use: AgentFailure.nullable().describe("Why it must not be written: it is mounted, swap, or the root."),
	})
	.meta({ id: "AgentDisk" });
export type AgentDisk = z.infer<typeof AgentDisk>;

export const AgentInterface = z
	.object({ name: Text, mac: Text, state: Text, speed: z.int().min(0).describe("Mbit/s; 0: unknown."), address: Text })
	.meta({ id: "AgentInterface" });

export const AgentInventory = z
	.object({
		model: Text,
		serial: Text,
		memory: Bytes,
		disks: z.array(AgentDisk).max(64),
		network: z.array(AgentInterface).max(256),
		kernel: Text,
		architecture: Text,
		os: Text,
		temperature: z.number().describe("Degrees Celsius; 0: unknown."),
		throttled: Text.describe("As the firmware has it, in hex; empty when unknown."),
		bootloader: z.object({ version: Text, builtAt: z.int().min(0), config: z.string().max(16_384) }),
		zstd: z.boolean().describe("Whether it can unpack chunks."),
		bootId: z.string().max(64).optional().describe("The kernel's id of this boot: another one after a reboot."),
	})
	.meta({ id: "AgentInventory" });
export type AgentInventory = z.infer<typeof AgentInventory>;

export const AgentHello = z
	.object({ protocol: z.literal(1), version: z.string().max(32), inventory: AgentInventory })
	.meta({ id: "AgentHello" });
export type AgentHello = z.infer<typeof AgentHello>;

export const AgentNext = z
	.object({
		wait: z.int().min(0).max(30).describe("Seconds that the answer may take when there is nothing to do."),
		temperature: z.number().optional().describe("Degrees Celsius."),
		throttled: Text.optional(),
	})
	.meta({ id: "AgentNext" });
export type AgentNext = z.infer<typeof AgentNext>;

export const AgentSource = z
	.object({
		url: z.url().describe("Serves the pack with Range, as the server does."),
		token: z.string().max(256).optional().describe("Goes along as X-Netboot-Token."),
	})
	.meta({ id: "AgentSource" });

/** What is written where; `size` and `identity` are those that the person confirmed. */
export const AgentTarget = z
	.object({ path: z.string().max(64), size: Bytes.optional(), identity: Text.optional() })
	.meta({ id: "AgentTarget" });

export const AgentWrite = z
	.object({
		kind: z.literal("write"),
		job: z.string().max(64),
		map: Sha256,
		target: AgentTarget,
		verify: z.enum(["full", "sample", "none"]),
		done: Bitmap.nullable().describe("What an earlier run of this job has written."),
		sources: z.array(AgentSource).max(16).optional().describe("Asked before the server."),
	})
	.meta({ id: "AgentWrite" });

export const AgentReboot = z.object({ kind: z.literal("reboot") }).meta({ id: "AgentReboot" });

export const AgentWork = z.discriminatedUnion("kind", [AgentWrite, AgentReboot]).meta({ id: "AgentWork" });
export type AgentWork = z.infer<typeof AgentWork>;

export const AgentNextAnswer = z.object({ work: AgentWork.nullable() }).meta({ id: "AgentNextAnswer" });

export const AgentEvent = z
	.object({
		job: z.string().max(64),
		seq: z.int().min(1).describe("Rises with every event of a run of the agent."),
		device: z.string().max(64),
		stage: z.enum(["wiping", "writing", "verifying", "syncing", "complete", "failed", "cancelled"]),
		percent: z.number().min(0).max(100),
		bytesDone: Bytes,
		bytesTotal: Bytes,
		wireBytes: Bytes,
		zeroedBytes: Bytes.describe("Zeros that had to be written, since the disk had something else."),
		verifiedBytes: Bytes,
		retries: z.int().min(0),
		durable: Bitmap.nullable(),
		error: AgentFailure.nullable(),
	})
	.meta({ id: "AgentEvent" });
export type AgentEvent = z.infer<typeof AgentEvent>;

export const AgentEventAnswer = z.object({ cancel: z.boolean() }).meta({ id: "AgentEventAnswer" });
