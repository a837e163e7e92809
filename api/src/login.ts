/** One-time codes that open the page in a browser. */
import { z } from "zod";
import { Time } from "./common.ts";

export const LoginCode = z
	.object({
		code: z.string().describe("Open `/?code=CODE` on this server: it works once."),
		expiresAt: Time,
	})
	.meta({ id: "LoginCode" });
export type LoginCode = z.infer<typeof LoginCode>;
