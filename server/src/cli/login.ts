/** `pi-netboot login` */
import { networkInterfaces } from "node:os";
import type { Command } from "commander";
import { isNetbootError } from "../base/index.ts";
import { type ClientOptions, call } from "./client.ts";
import { addClientFlags, type ClientFlags, clientOptions } from "./client-options.ts";
import { json, type Terminal } from "./terminal.ts";

export function addLogin(program: Command, terminal: Terminal): void {
	addClientFlags(program.command("login").description("print a link that opens the page, once, within 15 minutes"))
		.option("--json", "as JSON")
		.action(async (flags: ClientFlags & { json?: true }) => {
			const client = clientOptions(flags, terminal);
			const login = await call(client, "createLoginCode");
			const link = new URL(`/?code=${login.code}`, await pageUrl(client)).href;
			terminal.out(flags.json ? json({ ...login, url: link }) : `${link}\n`);
		});
}

/** The address that a browser on another machine can open too, where the server has one: who types this may be there by SSH. */
async function pageUrl(client: ClientOptions): Promise<string> {
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
