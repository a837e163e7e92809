import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Network } from "@pi-netboot/api";
import { changesOf, draftOf, undoOf } from "./settings-draft.ts";

const network: Network = {
	mode: "proxy",
	serverIp: "192.0.2.2",
	interface: "eth0",
	range: null,
	subnets: [],
	leases: [],
	leaseCount: 0,
	leaseSeconds: 3600,
	serveEverybody: false,
	insist: false,
	interfaces: [],
	otherDhcpServers: [],
	unconfirmedUntil: null,
	notes: [],
};

describe("the form of the network", () => {
	it("asks for nothing where nothing was typed", () => {
		assert.deepEqual(changesOf(network, draftOf(network)), {});
	});

	it("asks for what was typed alone", () => {
		const draft = { ...draftOf(network), mode: "full", start: " 192.0.2.50 ", end: "192.0.2.99" } as const;
		assert.deepEqual(changesOf(network, draft), { mode: "full", range: { start: "192.0.2.50", end: "192.0.2.99" } });
	});

	it("leaves to the server what was emptied", () => {
		const full: Network = { ...network, mode: "full", range: { start: "192.0.2.50", end: "192.0.2.99" } };
		const draft = { ...draftOf(full), start: "", end: " ", serverIp: "", interface: null };
		assert.deepEqual(changesOf(full, draft), { range: null, serverIp: null, interface: null });
	});

	it("takes back what it changed, and nothing else", () => {
		assert.deepEqual(undoOf(network, { mode: "full", range: null }), { mode: "proxy", range: null });
	});
});
