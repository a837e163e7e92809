/**
 * `DATA_DIR/imager.json`: what a person sets for clients that order writes from the Pis themselves, on port 8888. It has the
 * shape of the config.json of the predecessor's service, so that an old one can be put there as it is.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ExternalError, errorText, systemCode } from "../base/index.ts";
import type { ImagerSettings } from "../boot/index.ts";

const HINT = 'Correct it or delete it; it looks like {"allowed_ips": ["192.0.2.0/24"], "shared_secret": "..."}.';

const Settings = z.strictObject({
	allowed_ips: z.array(z.union([z.ipv4(), z.cidrv4(), z.ipv6(), z.cidrv6()])).max(256),
	shared_secret: z
		.string()
		.max(256)
		.regex(/^[\x21-\x7e]{8,}$/, "expected 8 to 256 printable characters without blanks"),
	port: z.int().min(1).max(65_535),
	any_source: z.boolean(),
});

/** @throws ExternalError `imager-settings` with a hint when the file makes no sense or cannot be read. */
export async function readImagerSettings(dataDir: string): Promise<ImagerSettings> {
	const path = join(dataDir, "imager.json");
	try {
		return Settings.partial().parse(JSON.parse(await readFile(path, "utf8")));
	} catch (error) {
		if (systemCode(error) === "ENOENT") return {};
		const reason = error instanceof z.ZodError ? z.prettifyError(error) : errorText(error);
		throw new ExternalError("imager-settings", `${path} cannot be used: ${reason}`, { hint: HINT, cause: error });
	}
}
