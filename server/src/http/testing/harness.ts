/** An HTTP server with fake services, asked without a socket. */
import { ManualClock, silentLogger } from "../../base/index.ts";
import { AccessBook } from "../access-book.ts";
import { AllowedHosts } from "../allowed-hosts.ts";
import { type HttpOptions, HttpServer } from "../http-server.ts";
import { type FakeServices, fakeServices } from "./fake-services.ts";
import { MemoryAudit, MemoryKeeper } from "./memory-keeper.ts";

export const token = "a-token-of-the-tests";
export const bearer = { authorization: `Bearer ${token}` };

export interface Harness {
	readonly http: HttpServer;
	readonly services: FakeServices;
	readonly clock: ManualClock;
	readonly keeper: MemoryKeeper;
	readonly audit: MemoryAudit;
}

/** @param keeper what an earlier one has left. @param given names that its start allowed. */
export function harness(
	options: Partial<HttpOptions> & { readonly given?: readonly string[] } = {},
	keeper = new MemoryKeeper(),
): Harness {
	const { given = [], ...others } = options;
	const services = fakeServices();
	const clock = new ManualClock();
	const audit = new MemoryAudit();
	const http = new HttpServer({
		host: "127.0.0.1",
		port: 0,
		auth: "token",
		token,
		book: new AccessBook(keeper, clock, silentLogger, [...keeper.kept.values()]),
		audit,
		hosts: new AllowedHosts(given, keeper, { addresses: () => ["192.0.2.2", "fe80::1%eth0"], name: () => "bench" }),
		version: "0.1.0",
		services,
		log: silentLogger,
		clock,
		...others,
	});
	return { http, services, clock, keeper, audit };
}
