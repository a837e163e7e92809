/** RPC over UDP: a datagram is a call, and another one its reply. */
import { whenReady } from "../base/index.ts";
import { type RpcCaller, type RpcService, XdrError, XdrWriter } from "../wire/rpc/index.ts";

/**
 * Answers one datagram.
 *
 * @returns the reply, or undefined when the datagram is no call.
 */
export async function answerDatagram(
	service: RpcService,
	bytes: Buffer,
	caller: RpcCaller,
): Promise<Buffer | undefined> {
	const out = new XdrWriter();
	let attempt = 0;
	try {
		const later = await whenReady(() => {
			out.truncate(0);
			return service.dispatch(bytes, 0, bytes.length, caller, attempt++, out);
		});
		const finish = await later;
		if (finish !== undefined) {
			await whenReady(() => {
				out.truncate(0);
				finish(out);
			});
		}
		return out.copy();
	} catch (error) {
		// Whoever sends no call is not answered: the address of a datagram may be anybody's.
		if (error instanceof XdrError) return undefined;
		throw error;
	}
}
