/** What the stages of a write are called. */
import type { WriteStage } from "@pi-netboot/api";

interface StageWord {
	readonly word: string;
	readonly color: string;
}

export const writeStages: Readonly<Record<WriteStage, StageWord>> = {
	wiping: { word: "Preparing", color: "blue" },
	writing: { word: "Writing", color: "blue" },
	verifying: { word: "Checking", color: "blue" },
	syncing: { word: "Finishing", color: "blue" },
	complete: { word: "Done", color: "green" },
	failed: { word: "Failed", color: "red" },
	cancelled: { word: "Cancelled", color: "gray" },
};
