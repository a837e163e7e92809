/** The room of writing images to disks: maps and packs, the agents on the Pis, and the writes that they do. */
export { AgentBook, type AgentFacts, type AgentHello } from "./agents/agent-book.ts";
export { AgentDesk } from "./agents/agent-desk.ts";
export { type Admission, type AgentCaller, AgentGate, type AgentRequest } from "./agents/agent-gate.ts";
export { type AgentKey, type AgentKeys, bootKeys } from "./agents/agent-keys.ts";
export type { Inventory } from "./agents/inventory.ts";
export type { WriteJob } from "./jobs/job.ts";
export type { WriteOrder } from "./jobs/order.ts";
export type { WritableBuild } from "./jobs/preparing.ts";
export type { AgentReport } from "./jobs/report.ts";
export type { AgentWork, WriteWait } from "./jobs/work.ts";
export { WriteJobs } from "./jobs/write-jobs.ts";
export * from "./pack/index.ts";
export {
	CLOCK_TOLERANCE_MS,
	type Refusal,
	RequestChecker,
	type SignedParts,
	signAnswer,
	signRequest,
} from "./signature.ts";
export { WriteError } from "./write-error.ts";
