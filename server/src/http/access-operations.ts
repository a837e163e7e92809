/** Logging in and out, tokens, the password, and who changed what. */
import type { Access } from "./access.ts";
import type { AllowedHosts } from "./allowed-hosts.ts";
import type { Audit } from "./audit.ts";
import type { EventStreams } from "./event-stream.ts";
import type { Operations, Visit } from "./operations.ts";

type AccessOperation =
	| "getLogin"
	| "login"
	| "logout"
	| "getSession"
	| "endSessions"
	| "setPassword"
	| "listTokens"
	| "createToken"
	| "deleteToken"
	| "getAllowedHosts"
	| "setAllowedHosts"
	| "listAudit";

interface AccessSources {
	readonly access: Access;
	readonly hosts: AllowedHosts;
	readonly audit: Audit;
	readonly streams: EventStreams;
}

export function accessOperations({ access, hosts, audit, streams }: AccessSources): Pick<Operations, AccessOperation> {
	const { book } = access;
	// Whoever ended all sessions from a browser is still there.
	const endOthers = ({ visitor, isSecure, setCookie }: Visit): undefined => {
		streams.reviewSoon();
		if (visitor?.proof === "session") setCookie(access.createSession(isSecure));
	};
	const shown = () => ({ hosts: [...hosts.stored], given: [...hosts.given], own: [...hosts.own] });
	return {
		getLogin: () => ({ needed: access.isNeeded, password: book.passwordSet }),
		login: async ({ body }, visit) => {
			visit.setCookie(await access.logIn(body.password, visit));
			return undefined;
		},
		logout: async (_, { cookie, isSecure, setCookie }) => {
			for (const header of await access.logOut(cookie, isSecure)) setCookie(header);
			streams.reviewSoon();
			return undefined;
		},
		getSession: (_, { visitor }) => ({ who: visitor?.who ?? "", passwordSet: book.passwordSet }),
		endSessions: async (_, visit) => {
			await book.endSessions();
			return endOthers(visit);
		},
		setPassword: async ({ body }, visit) => {
			await book.setPassword(body.password);
			return endOthers(visit);
		},
		listTokens: () => ({ tokens: book.list() }),
		createToken: ({ body }) => book.create(body.name),
		deleteToken: async ({ params }) => {
			await book.remove(params.id);
			streams.reviewSoon();
			return undefined;
		},
		getAllowedHosts: shown,
		setAllowedHosts: async ({ body }, { host }) => {
			await hosts.change(body.hosts, host);
			return shown();
		},
		listAudit: ({ query }) => audit.page(query),
	};
}
