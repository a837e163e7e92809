/** What a rule of the rule book looks at, and what it says. */
import type { Attempt } from "./attempt.ts";
import type { ModelId } from "./board.ts";
import type { FailedAttempt } from "./stages.ts";

/** As the API has it. */
export interface Diagnosis {
	/** Stable; tells rules from each other. */
	readonly code: string;
	readonly severity: "info" | "warning" | "error";
	/** One sentence: what is wrong. */
	readonly message: string;
	/** One sentence: what the server saw that says so. */
	readonly seen: string;
	/** What to do about it. */
	readonly fix: string;
}

/** What is known of the network, besides the boot itself. */
export interface Surroundings {
	readonly dhcpMode: "proxy" | "full" | "off";
	/** Other DHCP servers that answer on the LAN; undefined = nobody could ask. */
	readonly otherDhcpServers: readonly string[] | undefined;
}

/** What a rule looks at. Times are milliseconds since 1970. */
export interface Scene {
	readonly now: number;
	readonly attempt: Attempt;
	/** The attempts that failed just before it. */
	readonly failed: readonly FailedAttempt[];
	readonly id: string;
	readonly model: ModelId | null;
	/** Whose firmware asks; undefined when it did not ask DHCP where we could hear it. */
	readonly firmware: FirmwareKind | undefined;
	readonly surroundings: Surroundings;
}

/** What DHCP tells of the program that boots. */
export interface FirmwareKind {
	/** `mask-rom`: Pi 3B and 2B v1.2. `pi3`: 3B+ or bootcode.bin. `eeprom`: Pi 4 and later. */
	readonly generation: "mask-rom" | "pi3" | "eeprom" | "unknown";
	/** The first four bytes of its GUID, where it has one of the new form: `4iPR`. */
	readonly fourCC?: string;
	/** The board revision in it. */
	readonly revision?: number;
}

export interface Rule {
	/** The row of the table of common failures that it comes from, for the reader. */
	readonly row: number;
	readonly code: string;
	readonly severity: Diagnosis["severity"];
	readonly applies: (scene: Scene) => boolean;
	readonly seen: (scene: Scene) => string;
	readonly message: (scene: Scene) => string;
	readonly fix: (scene: Scene) => string;
}
