/** How the files of the images folder are packed. */
import fs from "node:fs";
import { PACKING_HEAD_BYTES, type Packing, recognisePacking } from "../../disk/index.ts";

/** How a file is packed, by its first bytes. @throws the operating system's error. */
export async function packingOf(file: string): Promise<Packing | undefined> {
	const handle = await fs.promises.open(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
	try {
		const head = Buffer.alloc(PACKING_HEAD_BYTES);
		const { bytesRead } = await handle.read(head, 0, head.length, 0);
		return recognisePacking(head.subarray(0, bytesRead));
	} finally {
		await handle.close();
	}
}
