import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Customisation, CustomisationChanges, DefaultsChanges, RootChangesQuery, SnapshotName } from "./index.ts";
import { keyboardLayouts, timeZones } from "./places.ts";

const SALTED = { y: `$y$j9T$${"a".repeat(22)}$${"b".repeat(43)}`, 6: `$6$salt$${"b".repeat(86)}` };
const BLOB = `AAAAC3NzaC1lZDI1NTE5AAAAI${"G".repeat(43)}`;
const KEY = `ssh-ed25519 ${BLOB} me@home`;
const RSA = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAACAAAAAAAAAAB";

const accepts = (changes: unknown) => CustomisationChanges.safeParse(changes).success;

describe("what a person sets for a system", () => {
	it("is taken where it is sound, and null takes it away", () => {
		for (const changes of [
			{ userName: "anna", passwordHash: SALTED.y },
			{ passwordHash: SALTED[6] },
			{ password: "höchst geheim: $6$" },
			{ passwordHash: `$6$rounds=5000$salt$${"b".repeat(86)}` },
			{ passwordHash: `$5$salt$${"b".repeat(43)}` },
			{ authorizedKeys: [KEY, `command="/bin/true",no-pty ${KEY} "home"`, RSA] },
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

	it("is refused at once where there is no such place, language, keyboard or whole key", () => {
		const message = (changes: unknown) =>
			CustomisationChanges.safeParse(changes).error?.issues.map((issue) => issue.message);
		for (const timeZone of ["Europe/Berln", "europe/berlin", "US/pacific", "Berlin", "PST", "Europe", "Etc", "GMT+1"])
			assert.match(message({ timeZone })?.join("; ") ?? "", /^expected a time zone that exists[^;]*$/, timeZone);
		for (const locale of ["xx_DE.UTF-8", "en_UK.UTF-8", "de_ZZ.UTF-8", "de.UTF-8"])
			assert.match(message({ locale })?.join("; ") ?? "", /^expected a locale that exists[^;]*$/, locale);
		for (const keyboard of ["uk", "en", "qwertz", "de()"])
			assert.match(message({ keyboard })?.join("; ") ?? "", /^expected a keyboard layout[^;]*$/, keyboard);
		for (const wifiCountry of ["UK", "EU", "XX", "ZZ"])
			assert.match(message({ wifiCountry })?.join() ?? "", /^expected the two letters/, wifiCountry);
		for (const key of [
			KEY.replace("GGGG", ""),
			RSA.slice(0, -4),
			`ssh-rsa ${BLOB}`,
			"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
		])
			assert.deepEqual(message({ authorizedKeys: [key] }), [
				"expected a whole public SSH key: of this one a part is missing",
			]);
	});

	it("may be what systems call by older and newer names", () => {
		for (const timeZone of ["Asia/Kolkata", "Europe/Kyiv", "US/Pacific", "Etc/GMT+1", "Etc/UTC"])
			assert.ok(accepts({ timeZone }), timeZone);
		const listed = timeZones();
		assert.ok(listed.length > 400 && listed.includes("Asia/Kolkata") && !listed.includes("Asia/Calcutta"));
		for (const timeZone of listed) assert.ok(accepts({ timeZone }), timeZone);
		for (const keyboard of keyboardLayouts) assert.ok(accepts({ keyboard }), keyboard);
		for (const locale of ["en_GB.UTF-8", "nan_TW.UTF-8", "unm_US.UTF-8"]) assert.ok(accepts({ locale }), locale);
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
