import assert from "node:assert/strict";
import { test } from "node:test";
import { isBelievable } from "./dhcp-relay.ts";

const near = (address: string) => address.startsWith("192.0.2.");

test("a relay is believed from the address that it names, and from our own networks", () => {
	assert.ok(isBelievable("0.0.0.0", "203.0.113.9", near), "no relay at all");
	assert.ok(isBelievable("10.5.0.254", "10.5.0.254", near), "dnsmasq");
	assert.ok(isBelievable("10.5.0.254", "192.0.2.254", near), "dhcrelay, from its leg in our network");
	assert.ok(isBelievable("10.5.0.254", "127.0.0.1", near), "a test on this machine");
});

test("nobody from afar can have answers sent to a third party", () => {
	assert.ok(!isBelievable("192.0.2.7", "203.0.113.9", near));
	assert.ok(!isBelievable("10.5.0.254", "10.5.0.253", near));
	assert.ok(!isBelievable("10.5.0.254", "10.5.0.253", () => false));
});
