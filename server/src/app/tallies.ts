/** What the boot services did, counted on its way between the wire and those who answer. */
import { Tally } from "../base/index.ts";
import type { Counter } from "../http/index.ts";
import type { DhcpHandler, DhcpReply, DhcpSender } from "../net/index.ts";
import { type DhcpPacket, MessageType, messageType, speakerOf } from "../wire/dhcp/index.ts";
import type { RpcProcedure, RpcProgram } from "../wire/rpc/index.ts";
import type { TftpClient, TftpOutcome, TftpPort } from "../wire/tftp/index.ts";

const TYPE_NAMES = new Map<number | undefined, string>(
	Object.entries(MessageType).map(([name, number]) => [number, name.toLowerCase()]),
);

export class Tallies {
	readonly #dhcpMessages = new Tally();
	readonly #dhcpReplies = new Tally();
	readonly #tftpRequests = new Tally();
	readonly #tftpTransfers = new Tally();
	readonly #tftpBytes = new Tally();
	readonly #calls = new Tally();
	readonly #callBytes = new Tally();
	readonly #replyBytes = new Tally();

	/** As Prometheus has them, without the prefix of the program. */
	list(): Counter[] {
		const counter = (name: string, help: string, tally: Tally): Counter => ({ name, help, samples: tally.list() });
		return [
			counter(
				"dhcp_messages_total",
				"DHCP messages that were heard, by type and by what sent them.",
				this.#dhcpMessages,
			),
			counter("dhcp_replies_total", "DHCP messages that were answered, by type.", this.#dhcpReplies),
			counter("tftp_requests_total", "Files that were asked for over TFTP.", this.#tftpRequests),
			counter("tftp_transfers_total", "Transfers over TFTP that ended, by how.", this.#tftpTransfers),
			counter("tftp_sent_bytes_total", "Bytes of files that were acknowledged over TFTP.", this.#tftpBytes),
			counter("rpc_calls_total", "Calls of NFS, MOUNT and the portmapper, by procedure.", this.#calls),
			counter("rpc_received_bytes_total", "Bytes of the arguments of such calls.", this.#callBytes),
			counter(
				"rpc_sent_bytes_total",
				"Bytes of the results of such calls, but for those that waited for the disk to have all.",
				this.#replyBytes,
			),
		];
	}

	dhcp(handler: DhcpHandler): DhcpHandler {
		const answered = (type: string, replies: readonly DhcpReply[]): readonly DhcpReply[] => {
			if (replies.length > 0) this.#dhcpReplies.add({ type });
			return replies;
		};
		return {
			handle: (packet: DhcpPacket, sender: DhcpSender) => {
				const type = TYPE_NAMES.get(messageType(packet)) ?? "unknown";
				this.#dhcpMessages.add({ type, from: speakerOf(packet) });
				const replies = handler.handle(packet, sender);
				return "then" in replies ? replies.then((list) => answered(type, list)) : answered(type, replies);
			},
		};
	}

	tftp(files: TftpPort): TftpPort {
		return {
			open: async (name: string, client: TftpClient) => {
				const file = await files.open(name, client);
				this.#tftpRequests.add({ found: file === undefined ? "no" : "yes" });
				return file;
			},
			ended: (name: string, client: TftpClient, outcome: TftpOutcome, bytes: number, size: number) => {
				this.#tftpTransfers.add({ outcome });
				this.#tftpBytes.add({}, bytes);
				files.ended(name, client, outcome, bytes, size);
			},
		};
	}

	/** A call that has to wait for the disk is counted when it is run to its end. */
	rpc(program: RpcProgram): RpcProgram {
		const counted = (procedure: RpcProcedure): RpcProcedure => {
			const labels = { program: program.name, procedure: procedure.name };
			const calls = this.#calls.of(labels);
			const received = this.#callBytes.of(labels);
			const sent = this.#replyBytes.of(labels);
			return {
				name: procedure.name,
				run: (call, args, out) => {
					const before = out.position;
					const length = args.remaining;
					const later = procedure.run(call, args, out);
					calls.value++;
					received.value += length;
					if (later === undefined) sent.value += out.position - before;
					return later;
				},
			};
		};
		const procedures = program.procedures.map((procedure) => procedure && counted(procedure));
		return { ...program, procedures };
	}
}
