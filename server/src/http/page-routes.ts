/** `GET /` with its one-time login, and the page's files. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Access, Caller } from "./access.ts";
import { type PageFile, readPages } from "./pages.ts";

export function callerOf(request: FastifyRequest): Caller {
	const { authorization, cookie } = request.headers;
	return { address: request.ip, authorization, cookie };
}

export function addPages(server: FastifyInstance, access: Access): void {
	const pages = readPages();
	server.get<{ Querystring: { code?: unknown } }>("/", (request, reply) => {
		const { code } = request.query;
		if (typeof code === "string") return login(access, code, request, reply);
		return sendFile(request, reply, pages[access.loggedIn(callerOf(request)) ? "index.html" : "login.html"]);
	});
	for (const name of ["app.js", "app.css", "icon.svg"] as const) {
		server.get(`/${name}`, (request, reply) => sendFile(request, reply, pages[name]));
	}
}

function login(access: Access, code: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
	const cookie = access.redeem(code, request.ip);
	reply.header("set-cookie", cookie).header("cache-control", "no-store");
	// A browser that follows a redirect on the way from another site (a link in a chat) holds a SameSite=Strict cookie
	// back; it sends it when our own page leads on.
	if (request.headers["sec-fetch-site"] !== "cross-site") return reply.redirect("/", 303);
	return reply.header("refresh", "0; url=/").type("text/plain; charset=utf-8").send("Logged in.\n");
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: PageFile): FastifyReply {
	reply.header("etag", file.etag).header("cache-control", "no-cache").type(file.type);
	if (request.headers["if-none-match"] === file.etag) return reply.code(304).send();
	return reply.send(file.content);
}
