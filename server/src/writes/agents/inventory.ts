/** What an agent says of its Pi. Sizes are bytes; a text that is not known is empty, a number 0. */

export interface InventoryDisk {
	/** `/dev/mmcblk0`. */
	readonly path: string;
	readonly size: number;
	readonly model: string;
	readonly serial: string;
	/** Tells it from all others: a card's CID, WWID or serial number. */
	readonly identity: string;
	/** The kernel's count of disks that were put in. */
	readonly diskseq: number;
	readonly readOnly: boolean;
	readonly removable: boolean;
	/** `mbr`, `gpt`, `ext`, `fat`, `empty`. */
	readonly content: string;
	readonly partitions: { readonly path: string; readonly size: number; readonly content: string }[];
	/** Why it must not be written, null when it may. */
	readonly use: { readonly code: string; readonly message: string } | null;
}

export interface Inventory {
	readonly model: string;
	/** The board's, whole: 16 hex digits. */
	readonly serial: string;
	readonly memory: number;
	readonly disks: InventoryDisk[];
	readonly network: {
		readonly name: string;
		readonly mac: string;
		readonly state: string;
		/** Mbit/s. */
		readonly speed: number;
		readonly address: string;
	}[];
	readonly kernel: string;
	readonly architecture: string;
	readonly os: string;
	/** Degrees Celsius. */
	readonly temperature: number;
	/** As the firmware has it, in hex. */
	readonly throttled: string;
	readonly bootloader: { readonly version: string; readonly builtAt: number; readonly config: string };
	/** Whether it can unpack chunks. */
	readonly zstd: boolean;
	/** The kernel's id of this boot; missing where the agent is older than that. */
	readonly bootId?: string | undefined;
}
