/** `GET /` with its one-time login, the form for strangers, every address of the page, and the page's files. */
import { PasswordLogin } from "@pi-netboot/api";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Access, Arrival, Caller } from "./access.ts";
import { type AskedPage, pageIn } from "./asked-page.ts";
import { ApiError } from "./errors.ts";
import { checkOrigin } from "./origin.ts";
import { BuiltPage, type PageFile, readLoginFiles } from "./pages.ts";

export function callerOf(request: FastifyRequest): Caller {
	const { authorization, cookie } = request.headers;
	return { address: request.ip, authorization, cookie };
}

export function arrivalOf({ ip: address, protocol }: FastifyRequest): Arrival {
	return { address, isSecure: protocol === "https" };
}

/** What is shown in place of the page where nobody built it. */
const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>pi-netboot</title>
<link rel="stylesheet" href="/login.css"><main><section class="card"><h1>The page is not built</h1>
<p>The server runs, and its API answers. <code>npm start</code> builds the page, <code>npm run build</code> by itself.</p>
</section></main></html>`;

/** What a stranger meets. */
interface Entrance {
	readonly access: Access;
	readonly asked: AskedPage;
	readonly form: () => PageFile;
}

/** @param folder of the page as it was built. */
export function addPages(server: FastifyInstance, access: Access, folder: string, asked: AskedPage): void {
	const login = readLoginFiles();
	const page = BuiltPage.read(folder);
	const form = () => login[access.book.passwordSet ? "login.html" : "login-without-password.html"];
	const entrance = { access, asked, form };
	const show = (request: FastifyRequest, reply: FastifyReply) => {
		if (access.loggedIn(callerOf(request))) return sendPage(reply, page);
		setCookie(reply, asked.keep(request.url, request.headers.cookie));
		return sendFile(request, reply, form());
	};
	server.get<{ Querystring: { code?: unknown; to?: unknown } }>("/", readable, (request, reply) => {
		const { code, to } = request.query;
		// HEAD only looks: it uses no code up.
		if (typeof code !== "string" || request.method === "HEAD") return show(request, reply);
		// The link of the start may be opened again by somebody who is logged in: it leads to the page all the same.
		if (access.loggedIn(callerOf(request))) return reply.redirect(pageIn(to) ?? "/", 303);
		return logIn(entrance, code, pageIn(to), request, reply);
	});
	addPasswordForm(server, entrance);
	for (const name of ["login.css", "icon.svg"] as const) {
		server.get(`/${name}`, readable, (request, reply) => sendFile(request, reply, login[name]));
	}
	server.get<{ Params: { name: string } }>("/assets/:name", readable, (request, reply) => {
		const file = page?.asset(request.params.name);
		if (file === undefined) return reply.callNotFound();
		return sendFile(request, reply, file, "public, max-age=31536000, immutable");
	});
	// The page has addresses of its own, which it reads itself.
	server.get("/*", readable, (request, reply) =>
		isPageAddress(request) ? show(request, reply) : reply.callNotFound(),
	);
}

/** HEAD too. */
const readable = { exposeHeadRoute: true };

/** What the form of a stranger sends; a browser without a script knows no JSON. */
function addPasswordForm(server: FastifyInstance, entrance: Entrance): void {
	const { access, form } = entrance;
	server.register(async (scope) => {
		scope.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, body, done) =>
			done(null, Object.fromEntries(new URLSearchParams(String(body)))),
		);
		scope.post("/login", async (request, reply) => {
			reply.header("cache-control", "no-store");
			try {
				checkOrigin(request.method, "none-needed", request.headers);
				const { data } = PasswordLogin.safeParse(request.body);
				if (data === undefined) throw new ApiError("invalid-request", "A password has 1 to 200 characters.");
				reply.header("set-cookie", await access.logIn(data.password, arrivalOf(request)));
			} catch (error) {
				if (error instanceof ApiError && isBrowser(request)) return sendForm(reply, form(), error);
				throw error;
			}
			return reply.redirect(leave(entrance, request, reply) ?? "/", 303);
		});
	});
}

function isPageAddress(request: FastifyRequest): boolean {
	return isBrowser(request) && !request.url.startsWith("/api/");
}

/** @param to the page that the link itself leads to. */
function logIn(
	entrance: Entrance,
	code: string,
	to: string | undefined,
	request: FastifyRequest,
	reply: FastifyReply,
): FastifyReply {
	const { access, form } = entrance;
	reply.header("cache-control", "no-store");
	try {
		reply.header("set-cookie", access.redeem(code, arrivalOf(request)));
	} catch (error) {
		if (error instanceof ApiError && isBrowser(request)) return sendForm(reply, form(), error);
		throw error;
	}
	const asked = leave(entrance, request, reply);
	const page = to ?? asked ?? "/";
	// A browser that follows a redirect on the way from another site (a link in a chat) holds a SameSite=Strict cookie
	// back; it sends it when our own page leads on.
	if (request.headers["sec-fetch-site"] !== "cross-site") return reply.redirect(page, 303);
	return reply.header("refresh", `0; url=${page}`).type("text/plain; charset=utf-8").send("Logged in.\n");
}

/** Which page was asked for before the login; from then on it is forgotten. */
function leave({ asked }: Entrance, { headers: { cookie } }: FastifyRequest, reply: FastifyReply): string | undefined {
	const page = asked.in(cookie);
	if (page !== undefined) setCookie(reply, asked.forget);
	return page;
}

/** Besides others that are set already. */
function setCookie(reply: FastifyReply, cookie: string | undefined): void {
	if (cookie !== undefined) reply.header("set-cookie", cookie);
}

function isBrowser(request: FastifyRequest): boolean {
	return request.headers.accept?.includes("text/html") ?? false;
}

/** The form again, with what was wrong; the messages are our own, without markup. */
function sendForm(reply: FastifyReply, form: PageFile, { status, message }: ApiError): FastifyReply {
	const note = `<p class="note bad"><span>${message}</span></p>`;
	return reply.code(status).type(form.type).send(form.content.toString().replace("<!-- problem -->", note));
}

function sendPage(reply: FastifyReply, page: BuiltPage | undefined): FastifyReply {
	reply.header("cache-control", "no-store").type("text/html; charset=utf-8");
	if (page === undefined) return reply.send(notBuilt);
	const { html, policy } = page.document();
	return reply.header("content-security-policy", policy).send(html);
}

function sendFile(
	request: FastifyRequest,
	reply: FastifyReply,
	file: PageFile,
	caching = "no-cache",
): FastifyReply | Promise<Buffer> {
	reply.header("etag", file.etag).header("cache-control", caching).header("vary", "accept-encoding").type(file.type);
	if (request.headers["if-none-match"] === file.etag) return reply.code(304).send();
	const accepted = request.headers["accept-encoding"] ?? "";
	if (file.packed === undefined || !/\bgzip\b/.test(accepted)) return reply.send(file.content);
	reply.header("content-encoding", "gzip");
	return file.packed();
}
