/** What was: the boots of a device, what was wrong with them, and who is there and does not boot. */
import { z } from "zod";
import { Bytes, Diagnosis, Time } from "./common.ts";
import { ReachedStage, RootMode } from "./devices.ts";
import { ImageId } from "./images.ts";

/** A sentence of the rule book, and for how long it held. */
export const PastDiagnosis = Diagnosis.extend({
	id: z.int().min(1),
	bootId: z.string().nullable().describe("null where the Pi came to no boot: it has one when it got its command line."),
	at: Time,
	endedAt: Time.nullable().describe("null while it holds."),
}).meta({ id: "PastDiagnosis" });
export type PastDiagnosis = z.infer<typeof PastDiagnosis>;

export const PastBoot = z
	.object({
		id: z.string(),
		imageId: ImageId,
		buildId: z.string(),
		rootMode: RootMode,
		startedAt: Time,
		mountedAt: Time.nullable(),
		endedAt: Time.nullable().describe("null while its root is in use, or may be."),
		stages: z.array(ReachedStage),
		diagnoses: z.array(PastDiagnosis).describe("What was wrong with it, the oldest first."),
	})
	.meta({ id: "PastBoot" });
export type PastBoot = z.infer<typeof PastBoot>;

export const BootsQuery = z.strictObject({
	before: z.coerce.number().int().min(0).optional().describe("`next` of the page before."),
	limit: z.coerce.number().int().min(1).max(50).default(20),
});
export type BootsQuery = z.infer<typeof BootsQuery>;

export const BootPage = z
	.object({
		boots: z.array(PastBoot).describe("The newest first. The last 50 are kept."),
		next: Time.nullable().describe("`before` for the next page; null at the end."),
	})
	.meta({ id: "BootPage" });
export type BootPage = z.infer<typeof BootPage>;

/** A boot file that a Pi asked for over TFTP. */
export const AskedFile = z
	.object({
		path: z.string().describe("Without the serial."),
		answer: z
			.enum(["found", "missing", "refused"])
			.describe("`refused`: the command line, asked for from an address that is not proved to be the Pi's."),
		outcome: z
			.enum(["complete", "probe", "aborted", "timeout", "failed"])
			.nullable()
			.describe("How its last transfer ended; `probe` asked for the size alone. null while none has ended."),
		bytes: Bytes.describe("Acknowledged by the Pi, in all of its transfers."),
		size: Bytes.nullable().describe("null until a transfer has ended."),
		times: z.int().min(1).describe("How often it was asked for."),
		at: Time.describe("When it was asked for first."),
		endedAt: Time.nullable().describe("When its last transfer ended."),
	})
	.meta({ id: "AskedFile" });
export type AskedFile = z.infer<typeof AskedFile>;

/** From one power-on to the next. */
export const BootAttempt = z
	.object({
		startedAt: Time,
		bootId: z.string().nullable().describe("null where it came to no boot."),
		stages: z.array(
			ReachedStage.extend({
				bytes: Bytes.describe("Boot files and files of the root that it was sent while it was at this stage."),
			}),
		),
		files: z.array(AskedFile).describe("In the order in which they were first asked for; at most 96."),
	})
	.meta({ id: "BootAttempt" });
export type BootAttempt = z.infer<typeof BootAttempt>;

export const BootAttemptList = z
	.object({
		attempts: z.array(BootAttempt).describe("This one and the last four that asked for files, the newest first."),
	})
	.meta({ id: "BootAttemptList" });
export type BootAttemptList = z.infer<typeof BootAttemptList>;

export const DiagnosesQuery = z.strictObject({
	before: z.coerce.number().int().min(1).optional().describe("`next` of the page before."),
	limit: z.coerce.number().int().min(1).max(100).default(20),
});
export type DiagnosesQuery = z.infer<typeof DiagnosesQuery>;

export const DiagnosisPage = z
	.object({
		diagnoses: z.array(PastDiagnosis).describe("The newest first. The last 100 are kept."),
		next: z.int().min(1).nullable().describe("`before` for the next page; null at the end."),
	})
	.meta({ id: "DiagnosisPage" });
export type DiagnosisPage = z.infer<typeof DiagnosisPage>;

/** A machine that is seen on the network and does not boot from here. */
export const Bystander = z
	.object({
		mac: z.string(),
		ip: z.string().nullable(),
		reason: z.string().describe("One sentence."),
		lastSeenAt: Time,
	})
	.meta({ id: "Bystander" });
export type Bystander = z.infer<typeof Bystander>;

export const BystanderList = z
	.object({ bystanders: z.array(Bystander).describe("The last one seen first; at most 64.") })
	.meta({ id: "BystanderList" });
export type BystanderList = z.infer<typeof BystanderList>;
