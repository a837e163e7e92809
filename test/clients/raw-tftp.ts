/**
 * For `boot-tree.test.ts`: sends each datagram of its arguments (hex) once to port 69 of the server, from a socket of its
 * own, and prints the first answer to it as hex, or `silence`.
 */
import { createSocket } from "node:dgram";

const [server = "", ...datagrams] = process.argv.slice(2);

function ask(datagram: Buffer): Promise<string> {
	return new Promise((resolve) => {
		const socket = createSocket("udp4");
		const finish = (answer: string) => {
			clearTimeout(timer);
			socket.close();
			resolve(answer);
		};
		const timer = setTimeout(finish, 2000, "silence");
		socket.once("message", (answer) => finish(answer.toString("hex")));
		socket.send(datagram, 69, server);
	});
}

const answers = await Promise.all(datagrams.map((hex) => ask(Buffer.from(hex, "hex"))));
process.stdout.write(answers.join("\n"));
