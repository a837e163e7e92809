/** One-time codes for Pis: one installs the agent, one fetches an image as a file. */
import { z } from "zod";
import { Time } from "./common.ts";

export const InstallCode = z
	.object({
		code: z.string().describe("What the install script asks for."),
		expiresAt: Time,
		command: z.string().describe("The line to run on the Pi."),
	})
	.meta({ id: "InstallCode" });
export type InstallCode = z.infer<typeof InstallCode>;

export const DownloadLink = z
	.object({ path: z.string().describe("Fetches the image from this server, once, without a token."), expiresAt: Time })
	.meta({ id: "DownloadLink" });
export type DownloadLink = z.infer<typeof DownloadLink>;
