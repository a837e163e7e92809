/** What lets somebody in besides the token of the data folder: named tokens, and the password. Of all only hashes are kept. */
import { randomBytes } from "node:crypto";
import type { CreatedToken, Token } from "@pi-netboot/api";
import { type Clock, errorText, type Logger } from "../base/index.ts";
import { ApiError } from "./errors.ts";
import { hashPassword, PasswordDesk } from "./passwords.ts";
import { digest } from "./secrets.ts";
import { endOf, type HeldSession } from "./sessions.ts";

/** A token as it is kept. */
export interface KeptToken extends Token {
	/** SHA-256 in hex. A token has 192 random bits, so that nothing slower is needed. */
	readonly hash: string;
}

type AccessSetting = "passwordHash" | "sessionEpoch" | "endedSessions";

/** Where it is kept; the store's repositories. */
export interface AccessKeeper {
	readonly tokens: {
		insert(token: KeptToken): Promise<void>;
		used(id: string, at: number): Promise<void>;
		remove(id: string): Promise<void>;
	};
	readonly settings: {
		get(key: AccessSetting): string | undefined;
		set(key: AccessSetting, value: string | undefined): Promise<void>;
	};
	/** Resolves when all that was stored before survives a power cut. */
	durable(): Promise<void>;
}

/** More than anybody has programs. */
const TOKENS_MAX = 100;

/** Sessions that somebody logged out of, and whose time is not over; the first of them are forgotten. */
const ENDED_MAX = 500;

/** Whom the record of changes tells by other means: nobody shall pass for them. */
const RESERVED = new Set(["token", "session", "everybody", "link", "password", "code"]);

/** When a token was used is kept to the minute. */
const USE_MS = 60_000;

export class AccessBook {
	readonly #keeper: AccessKeeper;
	readonly #clock: Clock;
	readonly #log: Logger;
	readonly #byHash: Map<string, KeptToken>;
	readonly #desk = new PasswordDesk();

	/** @param tokens those that are kept. */
	constructor(keeper: AccessKeeper, clock: Clock, log: Logger, tokens: readonly KeptToken[]) {
		this.#keeper = keeper;
		this.#clock = clock;
		this.#log = log;
		this.#byHash = new Map(tokens.map((token) => [token.hash, token]));
	}

	/** The name of a token; undefined when it is none. */
	nameOf(token: string): string | undefined {
		const known = this.#byHash.get(hashOf(token));
		if (known !== undefined) this.#used(known);
		return known?.name;
	}

	/** Whether it is a token, without counting that as a use. */
	holds(token: string): boolean {
		return this.#byHash.has(hashOf(token));
	}

	#used(token: KeptToken): void {
		const now = this.#clock.now();
		if (token.lastUsedAt !== null && now - token.lastUsedAt < USE_MS) return;
		this.#byHash.set(token.hash, { ...token, lastUsedAt: now });
		// Whoever asks does not wait for it, and is let in all the same when the disk is full.
		this.#keeper.tokens.used(token.id, now).catch((error: unknown) => {
			this.#log.warn(`when the token "${token.name}" was used was not noted: ${errorText(error)}`);
		});
	}

	list(): Token[] {
		return [...this.#byHash.values()].map(({ hash: _, ...token }) => token);
	}

	/** Survives a power cut when it resolves. @throws ApiError name-taken, conflict. */
	async create(name: string): Promise<CreatedToken> {
		const tokens = [...this.#byHash.values()];
		if (tokens.some((token) => token.name === name)) throw new ApiError("name-taken", `There is a token "${name}".`);
		if (RESERVED.has(name.toLowerCase())) {
			throw new ApiError("name-taken", `"${name}" is how the record of changes calls somebody else.`);
		}
		if (tokens.length >= TOKENS_MAX) {
			throw new ApiError("conflict", `There are ${TOKENS_MAX} tokens already.`, { hint: "Revoke one." });
		}
		const token = `pnb_${randomBytes(24).toString("base64url")}`;
		const id = randomBytes(4).toString("hex");
		const kept = { id, name, createdAt: this.#clock.now(), lastUsedAt: null, hash: hashOf(token) };
		// At once, so that a name cannot be taken twice; nobody knows the token yet.
		this.#byHash.set(kept.hash, kept);
		try {
			await this.#keeper.tokens.insert(kept);
			await this.#keeper.durable();
		} catch (error) {
			this.#byHash.delete(kept.hash);
			throw error;
		}
		const { hash: _, ...shown } = kept;
		return { ...shown, token };
	}

	/** It holds no more when this resolves, also after a power cut. @throws ApiError token-not-found. */
	async remove(id: string): Promise<void> {
		const token = [...this.#byHash.values()].find((one) => one.id === id);
		if (token === undefined) throw new ApiError("token-not-found", `There is no token "${id}".`);
		await this.#keeper.tokens.remove(id);
		this.#byHash.delete(token.hash);
		await this.#keeper.durable();
	}

	get passwordSet(): boolean {
		return this.#keeper.settings.get("passwordHash") !== undefined;
	}

	/** @throws ApiError too-many-attempts. */
	async isPassword(password: string): Promise<boolean> {
		const stored = this.#keeper.settings.get("passwordHash");
		return stored !== undefined && (await this.#desk.check(password, stored));
	}

	/** Ends all sessions as well. Survives a power cut when it resolves. @param password null = none any more. */
	async setPassword(password: string | null): Promise<void> {
		const hash = password === null ? undefined : await hashPassword(password);
		await this.#keeper.settings.set("passwordHash", hash);
		await this.endSessions();
	}

	/** Sessions of another epoch have ended. */
	get epoch(): string {
		return this.#keeper.settings.get("sessionEpoch") ?? "";
	}

	/** Survives a power cut when it resolves. */
	async endSessions(): Promise<void> {
		await this.#keeper.settings.set("sessionEpoch", randomBytes(8).toString("hex"));
		await this.#keeper.settings.set("endedSessions", undefined);
		await this.#keeper.durable();
	}

	/** Whether somebody logged out of this session. */
	hasEnded({ claim }: HeldSession): boolean {
		return this.#ended().includes(claim);
	}

	/** Survives a power cut when it resolves. */
	async endSession({ claim }: HeldSession): Promise<void> {
		const others = this.#ended().filter((one) => one !== claim && this.#clock.now() < endOf(one));
		await this.#keeper.settings.set("endedSessions", [...others, claim].slice(-ENDED_MAX).join(" "));
		await this.#keeper.durable();
	}

	#ended(): string[] {
		return this.#keeper.settings.get("endedSessions")?.split(" ") ?? [];
	}
}

function hashOf(token: string): string {
	return digest(token).toString("hex");
}
