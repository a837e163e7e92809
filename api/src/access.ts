/** Who may ask, and who changed what. */
import { z } from "zod";
import { Time } from "./common.ts";

/** How a person begins who has no session. */
export const LoginOptions = z
	.object({
		needed: z.boolean().describe("False where everybody may ask (`--auth off`)."),
		password: z.boolean().describe("A password was set, so that one can log in without a link."),
	})
	.meta({ id: "LoginOptions" });
export type LoginOptions = z.infer<typeof LoginOptions>;

export const PasswordLogin = z.strictObject({ password: z.string().min(1).max(200) }).meta({ id: "PasswordLogin" });
export type PasswordLogin = z.infer<typeof PasswordLogin>;

export const NewPassword = z
	.strictObject({
		password: z
			.string()
			.min(8, "expected at least 8 characters")
			.max(200, "expected at most 200 characters")
			.nullable()
			.describe("null = only links and tokens let anybody in. Every session but the asking one ends."),
	})
	.meta({ id: "NewPassword" });
export type NewPassword = z.infer<typeof NewPassword>;

export const Session = z
	.object({
		who: z.string().describe("`session`, `token` for the one of the data folder, a token's name, or `everybody`."),
		passwordSet: z.boolean(),
	})
	.meta({ id: "Session" });
export type Session = z.infer<typeof Session>;

const TokenName = z
	.string()
	.max(64)
	.regex(/^[\p{L}\p{N}][\p{L}\p{N} ._@-]*$/u, "expected a name of letters, digits, blanks and . _ @ -");

export const TokenId = z.string().regex(/^[0-9a-f]{8}$/, "expected 8 hex digits");

export const Token = z
	.object({ id: TokenId, name: z.string(), createdAt: Time, lastUsedAt: Time.nullable() })
	.meta({ id: "Token" });
export type Token = z.infer<typeof Token>;

export const TokenList = z.object({ tokens: z.array(Token) }).meta({ id: "TokenList" });
export type TokenList = z.infer<typeof TokenList>;

export const NewToken = z
	.strictObject({ name: TokenName.describe("What it is for; no two tokens share one.") })
	.meta({ id: "NewToken" });
export type NewToken = z.infer<typeof NewToken>;

export const CreatedToken = Token.extend({
	token: z.string().describe("Shown this once: only its hash is kept."),
}).meta({ id: "CreatedToken" });
export type CreatedToken = z.infer<typeof CreatedToken>;

const AllowedHost = z
	.string()
	.max(253)
	.toLowerCase()
	.regex(/^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/, "expected a host name like netboot.example.org, or an IPv4 address");

export const NewAllowedHosts = z
	.strictObject({ hosts: z.array(AllowedHost).max(32).describe("All that shall hold from now on.") })
	.meta({ id: "NewAllowedHosts" });
export type NewAllowedHosts = z.infer<typeof NewAllowedHosts>;

/** Whoever asks by another Host is refused: a page of another site may lead its own name to our address. */
export const AllowedHosts = z
	.object({
		hosts: z.array(z.string()).describe("Those that were allowed here; they are stored."),
		given: z.array(z.string()).describe("Those of `--allow-host`, which hold as long as the server runs."),
		own: z.array(z.string()).describe("The machine's own names, which hold in any case, as its addresses do."),
	})
	.meta({ id: "AllowedHosts" });
export type AllowedHosts = z.infer<typeof AllowedHosts>;

export const AuditEntry = z
	.object({
		id: z.int().min(1),
		at: Time,
		who: z
			.string()
			.describe("As in `Session`; `password` or `link` where somebody logged in, `code` where an agent was installed."),
		address: z.string(),
		action: z.string().describe("The operation of this API: `changeDevice`."),
		target: z.string().nullable().describe("What was changed, by its id."),
		details: z.string().describe("What was asked for. Secrets and texts of one's own are told by their names alone."),
	})
	.meta({ id: "AuditEntry" });
export type AuditEntry = z.infer<typeof AuditEntry>;

export const AuditQuery = z.strictObject({
	before: z.coerce.number().int().min(1).optional().describe("`next` of the page before."),
	limit: z.coerce.number().int().min(1).max(500).default(100),
});
export type AuditQuery = z.infer<typeof AuditQuery>;

export const AuditPage = z
	.object({
		entries: z.array(AuditEntry).describe("The newest first."),
		next: z.int().min(1).nullable().describe("`before` for the next page; null at the end."),
	})
	.meta({ id: "AuditPage" });
export type AuditPage = z.infer<typeof AuditPage>;
