/** A process that stores one boot after the other and says so on standard output, until somebody kills it. */
import { openStore } from "../store.ts";
import { bootRow } from "./rows.ts";

const [path, first] = process.argv.slice(2);
if (path === undefined || first === undefined) throw new Error("usage: writer.ts PATH FIRST");
const store = await openStore(path);
for (let number = Number(first); ; number++) {
	await store.transaction(async ({ boots, devices }) => {
		await boots.insert(bootRow(1, `boot-${number}`, { startedAt: number }));
		await devices.update(1, { bootCount: number });
	});
	process.stdout.write(`${number}\n`);
}
