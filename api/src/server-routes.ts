/** What the server says of itself: what works, what happens, its log, figures. */
import { z } from "zod";
import { EventsQuery, ServerEvent } from "./events.ts";
import { Health } from "./health.ts";
import { LogLines, LogQuery } from "./logs.ts";
import type { Route } from "./route.ts";

export const serverRoutes = {
	getHealth: {
		method: "GET",
		path: "/api/v1/health",
		summary: "What works and what does not",
		auth: "open",
		response: Health,
		errors: [],
	},
	streamEvents: {
		method: "GET",
		path: "/api/v1/events",
		summary: "Server-sent events: each event's name is its `type`, its data the JSON of `data`",
		auth: "user",
		query: EventsQuery,
		response: ServerEvent,
		mediaType: "text/event-stream",
		errors: [],
	},
	listLogs: {
		method: "GET",
		path: "/api/v1/logs",
		summary: "Recent log lines, oldest first",
		auth: "user",
		query: LogQuery,
		response: LogLines,
		errors: [],
	},
	getMetrics: {
		method: "GET",
		path: "/metrics",
		summary: "Figures for Prometheus",
		auth: "user",
		response: z.string(),
		mediaType: "text/plain",
		errors: [],
	},
} as const satisfies Record<string, Route>;
