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

export const LoginLink = LoginCode.extend({
	server: z
		.string()
		.nullable()
		.describe(
			"What comes before `/?code=CODE` for another machine of the network: `http://192.0.2.2:38434`. null: none reaches this server. `&to=/images` leads to that page.",
		),
}).meta({ id: "LoginLink" });
export type LoginLink = z.infer<typeof LoginLink>;
