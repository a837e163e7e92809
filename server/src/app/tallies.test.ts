import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BlockFault } from "../base/index.ts";
import type { DhcpReply } from "../net/index.ts";
import { decodePacket } from "../wire/dhcp/index.ts";
import { pi400Discover, pi400Request } from "../wire/dhcp/testing/frames.ts";
import { RpcCall, type RpcProgram, XdrReader, XdrWriter } from "../wire/rpc/index.ts";
import { Tallies } from "./tallies.ts";

const SENDER = { address: "0.0.0.0", port: 68, servedAddress: undefined };
const CLIENT = { address: "192.0.2.20", port: 1024, served: "192.0.2.1" };

function counts(tallies: Tallies): Record<string, number> {
	const all = tallies
		.list()
		.flatMap(({ name, samples }) =>
			samples.map(({ labels, value }) => [[name, ...Object.values(labels)].join(" "), value]),
		);
	return Object.fromEntries(all);
}

describe("what is counted", () => {
	test("DHCP: what was heard, and what was answered at once or later", async () => {
		const tallies = new Tallies();
		const reply: DhcpReply = { delay: 0, packet: () => undefined };
		await tallies.dhcp({ handle: () => [reply] }).handle(decodePacket(pi400Discover), SENDER);
		const later = tallies.dhcp({ handle: async () => [reply] });
		await later.handle(decodePacket(pi400Request), SENDER);
		await tallies.dhcp({ handle: () => [] }).handle(decodePacket(pi400Discover), SENDER);
		assert.deepEqual(counts(tallies), {
			"dhcp_messages_total discover firmware": 2,
			"dhcp_messages_total request firmware": 1,
			"dhcp_replies_total discover": 1,
			"dhcp_replies_total request": 1,
		});
	});

	test("TFTP: files that are there or not, how transfers end, and their bytes", async () => {
		const tallies = new Tallies();
		const ended: unknown[] = [];
		const files = tallies.tftp({
			open: async (name) => (name === "there" ? { size: 5, read: async () => Buffer.alloc(5), close() {} } : undefined),
			ended: (...what) => void ended.push(what),
		});
		assert.equal((await files.open("there", CLIENT))?.size, 5);
		assert.equal(await files.open("none", CLIENT), undefined);
		files.ended("there", CLIENT, "complete", 5, 5);
		files.ended("there", CLIENT, "timeout", 2, 5);
		assert.equal(ended.length, 2);
		assert.deepEqual(counts(tallies), {
			"tftp_requests_total yes": 1,
			"tftp_requests_total no": 1,
			"tftp_transfers_total complete": 1,
			"tftp_transfers_total timeout": 1,
			tftp_sent_bytes_total: 7,
		});
	});

	test("RPC: a call that waits for the disk once, when it is done", () => {
		const tallies = new Tallies();
		let isReady = false;
		const program: RpcProgram = {
			name: "nfs3",
			program: 100003,
			version: 3,
			procedures: [
				{
					name: "READ",
					run(_call, _args, out) {
						if (!isReady) throw new BlockFault(Promise.resolve());
						out.u32(0).u32(7);
						return undefined;
					},
				},
				undefined,
			],
		};
		const [read, none] = tallies.rpc(program).procedures;
		assert.equal(none, undefined);
		const run = () => read?.run(new RpcCall(), new XdrReader().reset(Buffer.alloc(12), 0, 12), new XdrWriter());
		assert.throws(run, BlockFault);
		isReady = true;
		run();
		assert.deepEqual(counts(tallies), {
			"rpc_calls_total nfs3 READ": 1,
			"rpc_received_bytes_total nfs3 READ": 12,
			"rpc_sent_bytes_total nfs3 READ": 8,
		});
	});
});
