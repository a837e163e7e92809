import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import { ErrorBody } from "@pi-netboot/api";
import { answerUnreadable } from "./answers.ts";

/** What is answered on the bare socket: status line and error code. */
function answer(code: string): string[] {
	let text = "";
	const socket = new Socket();
	Object.defineProperty(socket, "writable", { value: true });
	socket.end = ((all: string) => {
		text = all;
		return socket;
	}) as typeof socket.end;
	answerUnreadable(Object.assign(new Error("of Node"), { code }), socket);
	const [head = "", body = ""] = text.split("\r\n\r\n");
	assert.match(head, new RegExp(`content-length: ${Buffer.byteLength(body)}\r\nconnection: close$`));
	return [head.split("\r\n")[0] ?? "", ErrorBody.parse(JSON.parse(body)).error.code];
}

test("what Node hands on to nobody is refused in the one form", () => {
	assert.deepEqual(answer("HPE_HEADER_OVERFLOW"), ["HTTP/1.1 431 Request Header Fields Too Large", "head-too-large"]);
	assert.deepEqual(answer("ERR_HTTP_REQUEST_TIMEOUT"), ["HTTP/1.1 408 Request Timeout", "too-slow"]);
	assert.deepEqual(answer("HPE_INVALID_METHOD"), ["HTTP/1.1 400 Bad Request", "invalid-request"]);
});
