/**
 * Run as a program on a host of the lab: `rpc-client.ts ADDRESS PORT LOCAL-PORT RECORD...`. Sends each record (hex), prints the
 * record that comes back (hex, without its mark), or an empty line when the server ends the connection.
 */
import { connect } from "node:net";

const [host = "", port = "", localPort = "0", ...records] = process.argv.slice(2);

const socket = connect({ host, port: Number(port), ...(localPort === "0" ? {} : { localPort: Number(localPort) }) });
let received = Buffer.alloc(0);
let sent = 0;

function sendNext(): void {
	const record = records[sent++];
	if (record === undefined) socket.end();
	else socket.write(Buffer.from(record, "hex"));
}

function takeReply(): void {
	if (received.length < 4) return;
	const length = received.readUInt32BE(0) % 0x8000_0000;
	if (received.length < 4 + length) return;
	console.log(received.subarray(4, 4 + length).toString("hex"));
	received = received.subarray(4 + length);
	sendNext();
}

socket.on("connect", sendNext);
socket.on("data", (chunk: Buffer) => {
	received = Buffer.concat([received, chunk]);
	takeReply();
});
socket.on("end", () => socket.end());
socket.on("error", (error) => {
	console.error(error.message);
	process.exitCode = 1;
});
socket.setTimeout(10_000, () => socket.destroy(new Error("no reply in 10 seconds")));
