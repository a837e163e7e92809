import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Bystander, Defaults, Device, Image, LogLine, Network, ServerEvent } from "@pi-netboot/api";
import { QueryClient } from "@tanstack/react-query";
import { askWithNews, MOST_LINES, tellCache } from "./news.ts";

const device = (id: string, name = id) => ({ id, name }) as Device;
const seen = (id: string, name?: string): ServerEvent => ({ type: "device", data: { id, device: device(id, name) } });
const line = (id: number) => ({ id, message: `line ${id}` }) as LogLine;
const logged = (id: number): ServerEvent => ({ type: "log", data: line(id) });
const devices = ["devices"];

function names(client: QueryClient): string[] | undefined {
	return client.getQueryData<Device[]>(devices)?.map(({ name }) => name);
}

describe("news", () => {
	it("change the lists that were asked for, and no others", () => {
		const client = new QueryClient();
		client.setQueryData(devices, [device("a"), device("b")]);
		tellCache(client, [seen("b", "bench"), seen("c"), { type: "image", data: { id: "x", image: {} as Image } }]);
		assert.deepEqual(names(client), ["a", "bench", "c"]);
		assert.equal(client.getQueryData(["images"]), undefined);
	});

	it("of the defaults are shown, and what has nothing of its own is asked for again", () => {
		const client = new QueryClient();
		client.setQueryData(["defaults"], { quotaBytes: 0 });
		client.setQueryData(devices, [device("a")]);
		tellCache(client, [{ type: "defaults", data: { quotaBytes: 5 } as Defaults }]);
		assert.deepEqual(client.getQueryData(["defaults"]), { quotaBytes: 5 });
		assert.equal(client.getQueryState(devices)?.isInvalidated, true);
	});

	it("take away what is gone, and follow an id that changes", () => {
		const client = new QueryClient();
		client.setQueryData(devices, [device("a"), device("b8")]);
		const renamed: ServerEvent = { type: "device", data: { id: "7b", formerId: "b8", device: device("7b") } };
		tellCache(client, [{ type: "device", data: { id: "a" } }, renamed]);
		assert.deepEqual(names(client), ["7b"]);
	});

	it("leave what did not change as it is, so that it is not painted again", () => {
		const client = new QueryClient();
		const untouched = device("a");
		client.setQueryData(devices, [untouched, device("b")]);
		tellCache(client, [seen("b", "bench")]);
		assert.equal(client.getQueryData<Device[]>(devices)?.[0], untouched);
	});

	it("that come while an answer is on its way are not lost by it", async () => {
		const client = new QueryClient();
		const answer = Promise.withResolvers<Device[]>();
		const asked = askWithNews("devices", () => answer.promise);
		tellCache(client, [seen("a", "newer")]);
		answer.resolve([device("a", "older")]);
		assert.deepEqual(await asked, [device("a", "newer")]);
		assert.deepEqual(await askWithNews("devices", async () => [device("a", "newest")]), [device("a", "newest")]);
	});

	it("show no line of the log twice, and keep no more than the server", () => {
		const client = new QueryClient();
		client.setQueryData(["logs"], [line(1), line(2)]);
		tellCache(client, [logged(2), logged(3)]);
		assert.deepEqual(client.getQueryData(["logs"]), [line(1), line(2), line(3)]);
		tellCache(
			client,
			Array.from({ length: MOST_LINES }, (_, index) => logged(index + 4)),
		);
		assert.equal(client.getQueryData<LogLine[]>(["logs"])?.length, MOST_LINES);
	});

	it("keep one entry for each machine that does not boot from here", () => {
		const client = new QueryClient();
		const one = (mac: string, lastSeenAt: number) => ({ mac, lastSeenAt }) as Bystander;
		const saw = (mac: string, at: number): ServerEvent => ({ type: "bystander", data: one(mac, at) });
		client.setQueryData(["bystanders"], [one("a", 1)]);
		tellCache(client, [saw("a", 2), saw("b", 3)]);
		assert.deepEqual(client.getQueryData(["bystanders"]), [one("b", 3), one("a", 2)]);
		const crowd = Array.from({ length: 100 }, (_, index) => saw(`c${index}`, 10 + index));
		tellCache(client, crowd);
		const kept = client.getQueryData<Bystander[]>(["bystanders"])?.map(({ mac }) => mac) ?? [];
		assert.deepEqual([kept.length, kept[0], kept.at(-1)], [64, "c99", "c36"]);
	});

	it("take a machine out of those that do not boot from here when it is a Pi that does", () => {
		const client = new QueryClient();
		const bystanders = [{ mac: "a" }, { mac: "b" }] as Bystander[];
		client.setQueryData(["bystanders"], bystanders);
		tellCache(client, [seen("other")]);
		assert.equal(client.getQueryData(["bystanders"]), bystanders);
		tellCache(client, [{ type: "device", data: { id: "7b", device: { id: "7b", mac: "a" } as Device } }]);
		assert.deepEqual(client.getQueryData(["bystanders"]), [{ mac: "b" }]);
	});

	it("of the network are the last ones", () => {
		const client = new QueryClient();
		client.setQueryData(["network"], { mode: "proxy" });
		const network = (mode: Network["mode"]): ServerEvent => ({ type: "network", data: { mode } as Network });
		tellCache(client, [network("off"), network("full")]);
		assert.deepEqual(client.getQueryData(["network"]), { mode: "full" });
	});
});
