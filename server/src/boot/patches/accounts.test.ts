import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import {
	addToGroup,
	addToGshadow,
	addToPasswd,
	addToShadow,
	freeId,
	groupId,
	hasPassword,
	type NewAccount,
	setPassword,
} from "./accounts.ts";

const folder = mkdtempSync(join(tmpdir(), "netboot-accounts-"));
after(() => rmSync(folder, { recursive: true }));

const PI: NewAccount = {
	name: "pi",
	uid: 1000,
	gid: 1000,
	home: "/home/pi",
	shell: "/bin/sh",
	passwordHash: undefined,
	groups: ["sudo", "gpio"],
};

describe("a new account", () => {
	it("is one that pwck and grpck have nothing to say about", () => {
		const path = (name: string) => join(folder, name);
		// grpck looks members up in the passwd of the machine that it runs on, so the new one has a name that every one has.
		const known = { ...PI, name: "daemon" };
		writeFileSync(path("passwd"), addToPasswd("root:x:0:0:root:/root:/bin/sh", { ...PI, home: folder }));
		writeFileSync(path("shadow"), addToShadow("root:*:19000:0:99999:7:::\n", PI));
		writeFileSync(path("group"), addToGroup("root:x:0:\nsudo:x:27:\n", known));
		writeFileSync(path("gshadow"), addToGshadow("root:*::\nsudo:*::\n", known));
		execFileSync("/usr/sbin/pwck", ["-r", "-q", path("passwd"), path("shadow")], { stdio: "pipe" });
		execFileSync("/usr/sbin/grpck", ["-r", path("group"), path("gshadow")], { stdio: "pipe" });
	});

	it("joins the groups that are there, beside their members, and once", () => {
		const group = addToGroup("sudo:x:27:ann\nvideo:x:44:\n", PI);
		assert.equal(group, "sudo:x:27:ann,pi\nvideo:x:44:\npi:x:1000:\n");
		assert.equal(addToGroup(group, PI), group);
		assert.equal(addToGshadow("sudo:*::ann\n", PI), "sudo:*::ann,pi\npi:!::\n");
	});

	it("has no password, which does not lock it, or the one that is given", () => {
		assert.match(addToShadow("", PI), /^pi:\*:19000:/);
		assert.match(addToShadow("", { ...PI, passwordHash: "$y$x" }), /^pi:\$y\$x:19000:/);
	});

	it("changes nothing when it is there already", () => {
		const passwd = "pi:x:1000:1000::/home/pi:/bin/bash\n";
		assert.equal(addToPasswd(passwd, PI), passwd);
	});
});

describe("account numbers and passwords", () => {
	it("finds the lowest number that neither a user nor a group has", () => {
		assert.equal(freeId("root:x:0:0\nann:x:1000:1000", "ann:x:1000:\ngpio:x:1001:"), 1002);
		assert.equal(freeId("", ""), 1000);
	});

	it("finds the number of a group", () => {
		assert.equal(groupId("a:x:5:\npi:x:77:\n", "pi"), 77);
		assert.equal(groupId("pip:x:77:\n", "pi"), undefined);
		assert.equal(groupId("pi:x:seven:\n", "pi"), undefined);
	});

	it("sets the password of one account and keeps the other fields", () => {
		const shadow = "root:*:1:0:99999:7:::\npi:!:2:0:99999:7:::\n";
		assert.equal(setPassword(shadow, "pi", "$6$h"), "root:*:1:0:99999:7:::\npi:$6$h:2:0:99999:7:::\n");
	});

	it("knows an account without a password", () => {
		for (const hash of ["", "!", "*", "!*", "!$6$locked", "x"]) assert.equal(hasPassword(`pi:${hash}:1`, "pi"), false);
		assert.equal(hasPassword("pi:$6$hash:1", "pi"), true);
		assert.equal(hasPassword("ann:$6$hash:1", "pi"), false);
	});
});
