/** `GET /` with its one-time login, and the page's files. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Access, Caller } from "./access.ts";
import { ApiError } from "./errors.ts";
import { type PageFile, readPages } from "./pages.ts";

export function callerOf(request: FastifyRequest): Caller {
	const { authorization, cookie } = request.headers;
	return { address: request.ip, authorization, cookie };
}

export function addPages(server: FastifyInstance, access: Access): void {
	const pages = readPages();
	server.get<{ Querystring: { code?: unknown } }>("/", (request, reply) => {
		const { code } = request.query;
		const isIn = access.loggedIn(callerOf(request));
		if (typeof code !== "string") return sendFile(request, reply, pages[isIn ? "index.html" : "login.html"]);
		// The link of the start may be opened again by somebody who is logged in: it leads to the page all the same.
		if (isIn) return reply.redirect("/", 303);
		return login(access, code, request, reply, pages["login.html"]);
	});
	for (const name of ["app.js", "app.css", "icon.svg"] as const) {
		server.get(`/${name}`, (request, reply) => sendFile(request, reply, pages[name]));
	}
}

function login(
	access: Access,
	code: string,
	request: FastifyRequest,
	reply: FastifyReply,
	form: PageFile,
): FastifyReply {
	reply.header("cache-control", "no-store");
	try {
		reply.header("set-cookie", access.redeem(code, request.ip));
	} catch (error) {
		if (error instanceof ApiError && isBrowser(request)) return sendForm(reply, form, error);
		throw error;
	}
	// A browser that follows a redirect on the way from another site (a link in a chat) holds a SameSite=Strict cookie
	// back; it sends it when our own page leads on.
	if (request.headers["sec-fetch-site"] !== "cross-site") return reply.redirect("/", 303);
	return reply.header("refresh", "0; url=/").type("text/plain; charset=utf-8").send("Logged in.\n");
}

function isBrowser(request: FastifyRequest): boolean {
	return request.headers.accept?.includes("text/html") ?? false;
}

/** The form again, with what was wrong; the messages are our own, without markup. */
function sendForm(reply: FastifyReply, form: PageFile, { status, message }: ApiError): FastifyReply {
	const note = `<p class="note bad"><span>${message}</span></p>`;
	return reply.code(status).type(form.type).send(form.content.toString().replace("<!-- problem -->", note));
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: PageFile): FastifyReply {
	reply.header("etag", file.etag).header("cache-control", "no-cache").type(file.type);
	if (request.headers["if-none-match"] === file.etag) return reply.code(304).send();
	return reply.send(file.content);
}
