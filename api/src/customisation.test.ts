import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Customisation, CustomisationChanges, DefaultsChanges, RootChangesQuery, SnapshotName } from "./index.ts";

const SALTED = { y: `$y$j9T$${"a".repeat(22)}$${"b".repeat(43)}`, 6: `$6$salt$${"b".repeat(86)}` };
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG me@home";

const accepts = (changes: unknown) => CustomisationChanges.safeParse(changes).success;

describe("what a person sets for a system", () => {
	it("is taken where it is sound, and null takes it away", () => {
		for (const changes of [
			{ userName: "anna", passwordHash: SALTED.y },
			{ passwordHash: SALTED[6] },
			{ password: "höchst geheim: $6$" },
			{ passwordHash: `$6$rounds=5000$salt$${"b".repeat(86)}` },
			{ passwordHash: `$5$salt$${"b".repeat(43)}` },
			{ authorizedKeys: [KEY, `command="/bin/true",no-pty ${KEY}`, "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB"] },
			{ timeZone: "America/Argentina/Buenos_Aires", locale: "de_DE.UTF-8", keyboard: "ch(fr)", wifiCountry: "DE" },
			{ timeZone: "UTC", locale: "C.UTF-8", keyboard: "us" },
			{ userData: "#cloud-config\npackages: [htop]\n" },
			{ userName: null, passwordHash: null, authorizedKeys: null, userData: null, timeZone: null },
			{},
		]) {
			assert.ok(accepts(changes), JSON.stringify(changes));
		}
	});

	it("is refused where it would break out of its place, and the refusal does not repeat it", () => {
		for (const changes of [
			{ passwordHash: "hunter2" },
			{ password: "hunter2\nroot::0:0" },
			{ password: "hunter2".repeat(40) },
			{ password: "hunter2", passwordHash: SALTED[6] },
			{ passwordHash: `${SALTED[6]}\nroot::0:0` },
			{ passwordHash: `${SALTED[6]}:0` },
			{ passwordHash: "$1$salt$hunter2hunter2hunter2" },
			{ userName: "hunter2:0:0" },
			{ userName: "Hunter2 " },
			{ authorizedKeys: [`${KEY}\nhunter2`] },
			{ authorizedKeys: ["hunter2"] },
			{ authorizedKeys: [`ssh-ed25519 hunter2 ${KEY}`.replace("AAAA", "!")] },
			{ timeZone: "../../etc/hunter2" },
			{ timeZone: "Europe/hunter2;reboot" },
			{ locale: 'de_DE.UTF-8";hunter2' },
			{ keyboard: "de\nhunter2" },
			{ keyboard: "de$(hunter2)" },
			{ wifiCountry: "DE hunter2" },
			{ userData: "hunter2" },
			{ userData: "#cloud-config\0hunter2" },
			{ hunter: 2 },
		]) {
			const { success, error } = CustomisationChanges.safeParse(changes);
			assert.equal(success, false, JSON.stringify(changes));
			assert.doesNotMatch(error?.issues.map(({ message }) => message).join() ?? "", /hunter2/);
		}
	});

	it("never shows a secret", () => {
		const shown = Customisation.parse({
			...{ passwordSet: true, userDataSet: true },
			...{ passwordHash: SALTED[6], userData: "#cloud-config\n" },
		});
		assert.deepEqual(shown, { passwordSet: true, userDataSet: true });
	});
});

describe("names and pages of roots", () => {
	it("have their bounds", () => {
		for (const name of ["clean", "2026-11-21", "a.b_c"]) assert.ok(SnapshotName.safeParse(name).success, name);
		for (const name of ["", ".", "..", "a/b", "-a", "a".repeat(64)])
			assert.ok(!SnapshotName.safeParse(name).success, name);
		assert.deepEqual(RootChangesQuery.parse({}), { limit: 200 });
		assert.equal(RootChangesQuery.parse({ limit: "7" }).limit, 7);
		for (const limit of ["0", "1001", "x"]) assert.ok(!RootChangesQuery.safeParse({ limit }).success, limit);
		assert.ok(!DefaultsChanges.safeParse({ oldRoots: { kept: -1 } }).success);
		assert.ok(!DefaultsChanges.safeParse({ quotaBytes: 1.5 }).success);
	});
});
