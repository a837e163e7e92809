/** Links that are opened elsewhere. */
import { networkInterfaces } from "node:os";
import { isNetbootError } from "../base/index.ts";
import { type ClientOptions, call } from "./client.ts";

/** The address that another machine can open too, where the server has one: who asks for a link may be here by SSH. */
export async function urlForOthers(client: ClientOptions): Promise<string> {
	const url = new URL(client.url);
	if (url.hostname !== "127.0.0.1") return client.url;
	const { serverIp } = await call(client, "getNetwork");
	if (serverIp === null || !isOfThisMachine(serverIp)) return client.url;
	url.hostname = serverIp;
	return (await answers(url.href)) ? url.href : client.url;
}

function isOfThisMachine(address: string): boolean {
	return Object.values(networkInterfaces()).some((addresses) => addresses?.some((one) => one.address === address));
}

async function answers(url: string): Promise<boolean> {
	try {
		await call({ url, token: undefined }, "getHealth", { patience: 2000 });
		return true;
	} catch (error) {
		if (!isNetbootError(error)) throw error;
		return false;
	}
}
