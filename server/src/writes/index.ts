/** The room of writing images to disks: maps and packs, and the signatures that agents and the server exchange. */
export * from "./pack/index.ts";
export {
	CLOCK_TOLERANCE_MS,
	type Refusal,
	RequestChecker,
	type SignedParts,
	signAnswer,
	signRequest,
} from "./signature.ts";
