import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import { Connections } from "./connections.ts";

/** A socket whose other end has this address. */
function remote(address: string): Socket {
	return Object.defineProperty(new Socket(), "remoteAddress", { value: address });
}

const closed = (socket: Socket) => new Promise((resolve) => socket.once("close", resolve));

test("a crowd of strangers loses its oldest connections, and nobody who was recognised", async () => {
	const connections = new Connections();
	const person = remote("192.0.2.1");
	connections.accept(person);
	connections.recognise(person);
	const strangers = Array.from({ length: 600 }, (_, index) => remote(`192.0.3.${index % 100}`));
	for (const stranger of strangers) connections.accept(stranger);
	assert.equal(connections.size, 512);
	assert.equal(strangers.filter(({ destroyed }) => destroyed).length, 89);
	assert.equal(person.destroyed, false);
	const leaving = closed(person);
	person.destroy();
	await leaving;
	assert.equal(connections.size, 511);
});

test("one address has its limit, and makes room among its own", () => {
	const connections = new Connections();
	const sockets = Array.from({ length: 100 }, () => remote("192.0.2.1"));
	for (const socket of sockets) connections.accept(socket);
	assert.equal(connections.size, 64);
	assert.equal(sockets.filter(({ destroyed }) => destroyed).length, 36);
});

test("a reverse proxy has the connections of many", () => {
	const connections = new Connections((address) => address === "192.0.2.1");
	const sockets = Array.from({ length: 100 }, () => remote("192.0.2.1"));
	for (const socket of sockets) connections.accept(socket);
	assert.equal(connections.size, 100);
});

test("a client that sends requests without waiting for answers is closed", () => {
	const connections = new Connections();
	const [patient, hasty] = [remote("192.0.2.1"), remote("192.0.2.2")];
	for (const socket of [patient, hasty]) connections.accept(socket);
	for (let each = 0; each < 100; each++) {
		connections.begin(patient);
		connections.end(patient);
	}
	for (let each = 0; each < 17; each++) connections.begin(hasty);
	assert.deepEqual([patient.destroyed, hasty.destroyed], [false, true]);
});
