/** What a person sets for a device, on the layouts of the distributions. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BugError } from "../../base/index.ts";
import { inspectImage } from "../../images/index.ts";
import { BUILDROOT_BUSYBOX_ROOT } from "../../images/testing/buildroot.ts";
import { DIETPI_ROOT, DIETPI_TXT } from "../../images/testing/dietpi.ts";
import { RASPBERRY_PI_OS_BOOKWORM, RASPBERRY_PI_OS_TRIXIE, TABLE } from "../../images/testing/stock.ts";
import { type Entries, makeTree } from "../../images/testing/tree.ts";
import { UBUNTU_BOOT, UBUNTU_ROOT } from "../../images/testing/ubuntu.ts";
import { readTextAt } from "../../vfs/index.ts";
import { differences } from "../testing/differences.ts";
import { DEVICE, KEY, linkTarget, ownership, type PatchedImage, patchedText, patchedTree } from "../testing/patched.ts";
import type { DeviceIdentity, RegionSettings } from "./input.ts";
import { preparedSettings } from "./prepared.ts";
import { regionGaps } from "./region.ts";

const HASH = "$y$j9T$abcdefghijklmnopqrstu.$abcdefghijklmnopqrstuvwxyz0123456789ABCDEF.";
const GERMANY: RegionSettings = {
	timeZone: "Europe/Berlin",
	locale: "de_DE.UTF-8",
	keyboard: "ch(fr)",
	wifiCountry: "DE",
};
const PROGRAM = { text: "#!", mode: 0o755 };
const ZONE: Entries = {
	"/usr/share/zoneinfo/Europe/Berlin": "TZif2",
	"/etc/localtime": { link: "/usr/share/zoneinfo/UTC" },
};
const DEBIAN_FILES: Entries = {
	...ZONE,
	"/etc/timezone": "Etc/UTC\n",
	"/etc/default/locale": "LANG=en_GB.UTF-8\nLANGUAGE=en\n",
	"/etc/default/keyboard": 'XKBMODEL="pc105"\nXKBLAYOUT="gb"\nXKBVARIANT=""\nBACKSPACE="guess"\n',
	"/etc/console-setup/cached_setup_keyboard.sh": PROGRAM,
	"/etc/locale.gen": "# de_DE.UTF-8 UTF-8\nen_GB.UTF-8 UTF-8\n",
	"/usr/sbin/locale-gen": PROGRAM,
};

/** What differs from the same device without these settings. */
function added(image: PatchedImage, device: Partial<DeviceIdentity>): string[] {
	return differences(patchedTree(image), patchedTree({ ...image, device }));
}

function gapsOf(root: Entries, region: RegionSettings, mode: "persistent" | "read-only" = "persistent"): string[] {
	const tree = makeTree(root);
	const facts = inspectImage({ root: tree, bootMount: "/boot/firmware", table: TABLE });
	return regionGaps({ root: tree, bootMount: "/boot/firmware", facts, device: { ...DEVICE, region }, mode });
}

describe("region", () => {
	for (const [name, base] of Object.entries({ RASPBERRY_PI_OS_BOOKWORM, RASPBERRY_PI_OS_TRIXIE })) {
		it(`is set on ${name}`, () => {
			const image = { root: { ...base, ...DEBIAN_FILES } };
			assert.deepEqual(added(image, { region: GERMANY }), [
				"+/etc/systemd/system/multi-user.target.wants/netboot-locale.service",
				"+/etc/systemd/system/netboot-locale.service",
				"-/etc/console-setup/cached_setup_keyboard.sh",
				"/etc/default/keyboard",
				"/etc/default/locale",
				"/etc/locale.gen",
				"/etc/localtime",
				"/etc/timezone",
			]);
			const tree = patchedTree({ ...image, device: { region: GERMANY } });
			const text = (path: string) => readTextAt(tree, path);
			assert.equal(linkTarget(tree, "/etc/localtime"), "/usr/share/zoneinfo/Europe/Berlin");
			assert.equal(text("/etc/timezone"), "Europe/Berlin\n");
			assert.equal(text("/etc/default/locale"), 'LANG="de_DE.UTF-8"\nLANGUAGE=en\n');
			const keyboard = 'XKBMODEL="pc105"\nXKBLAYOUT="ch"\nXKBVARIANT="fr"\nBACKSPACE="guess"\n';
			assert.equal(text("/etc/default/keyboard"), keyboard);
			assert.equal(text("/etc/locale.gen"), "de_DE.UTF-8 UTF-8\nen_GB.UTF-8 UTF-8\n");
			assert.deepEqual(gapsOf(image.root, GERMANY), []);
		});
	}

	it("follows trixie's link to systemd's file of the locale", () => {
		const root = {
			...RASPBERRY_PI_OS_TRIXIE,
			"/etc/default/locale": { link: "../locale.conf" },
			"/etc/locale.conf": "LANG=C\n",
		};
		const tree = patchedTree({ root, device: { region: { locale: "C.UTF-8" } } });
		assert.equal(readTextAt(tree, "/etc/locale.conf"), 'LANG="C.UTF-8"\n');
		assert.equal(linkTarget(tree, "/etc/default/locale"), "../locale.conf");
	});

	it("is set on Buildroot as far as it goes, and what does not is said", () => {
		const image = { root: { ...BUILDROOT_BUSYBOX_ROOT, ...ZONE, "/etc/timezone": "Etc/UTC\n" } };
		const region = { timeZone: "Europe/Berlin", keyboard: "de" };
		assert.deepEqual(added(image, { region }), ["/etc/localtime", "/etc/timezone"]);
		assert.match(gapsOf(image.root, region).join(), /^the image has no file that names a keyboard/);
		assert.match(gapsOf(BUILDROOT_BUSYBOX_ROOT, region).join(), /knows no time zone Europe\/Berlin/);
		assert.match(gapsOf({ ...RASPBERRY_PI_OS_TRIXIE, ...DEBIAN_FILES }, GERMANY, "read-only").join(), /cannot be made/);
	});

	it("is what DietPi's first boot sets", () => {
		const image = { root: DIETPI_ROOT, boot: { "/dietpi.txt": DIETPI_TXT }, device: { region: GERMANY } };
		const text = patchedText(image, "/boot/dietpi.txt");
		for (const line of [
			"AUTO_SETUP_TIMEZONE=Europe/Berlin",
			"AUTO_SETUP_LOCALE=de_DE.UTF-8",
			"AUTO_SETUP_KEYBOARD_LAYOUT=ch",
			"AUTO_SETUP_NET_WIFI_COUNTRY_CODE=DE",
		]) {
			assert.ok(text.split("\n").includes(line), `${line} in ${text}`);
		}
	});

	it("replaces the country in wpa_supplicant's file, or adds it", () => {
		const path = "/etc/wpa_supplicant/wpa_supplicant.conf";
		const of = (text: string) =>
			patchedText({ root: { ...RASPBERRY_PI_OS_BOOKWORM, [path]: text }, device: { region: GERMANY } }, path);
		assert.equal(of("country=GB\nupdate_config=1\n"), "country=DE\nupdate_config=1\n");
		assert.equal(of("update_config=1\n"), "country=DE\nupdate_config=1\n");
	});
});

describe("an account", () => {
	it("is made beside the image's own, with the password and the keys", () => {
		const image = { root: RASPBERRY_PI_OS_TRIXIE, device: { user: { name: "anna", passwordHash: HASH } } };
		const tree = patchedTree(image);
		const text = (path: string) => readTextAt(tree, path) ?? "";
		assert.match(text("/etc/passwd"), /^anna:x:1001:1001:,,,:\/home\/anna:\/bin\/bash$/m);
		assert.ok(text("/etc/shadow").includes(`\nanna:${HASH}:`));
		assert.match(text("/etc/shadow"), /^pi:!:/m);
		assert.match(text("/etc/group"), /^sudo:x:27:pi,anna$/m);
		assert.ok(text("/home/anna/.ssh/authorized_keys").includes(KEY));
		assert.equal(readTextAt(tree, "/home/pi/.ssh/authorized_keys"), undefined);
		assert.equal(readTextAt(tree, "/etc/sudoers.d/010_netboot"), undefined, "who has a password is asked for it");
		assert.equal(ownership(tree, "/etc/shadow"), "640 0:42");
	});

	it("of the image is taken where it has that name", () => {
		const tree = patchedTree({ root: RASPBERRY_PI_OS_BOOKWORM, device: { user: { name: "pi", passwordHash: HASH } } });
		assert.equal(readTextAt(tree, "/etc/passwd"), readTextAt(makeTree(RASPBERRY_PI_OS_BOOKWORM), "/etc/passwd"));
		assert.ok(readTextAt(tree, "/etc/shadow")?.includes(`\npi:${HASH}:`));
	});

	it("is root on Buildroot, unless another is named", () => {
		const of = (user: { name?: string; passwordHash: string }) =>
			patchedText({ root: BUILDROOT_BUSYBOX_ROOT, device: { user } }, "/etc/shadow");
		assert.ok(of({ passwordHash: HASH }).startsWith(`root:${HASH}:`));
		assert.match(of({ name: "anna", passwordHash: HASH }), /^anna:\$y\$/m);
	});

	it("keeps its password over DietPi's first boot, which sets another", () => {
		const tree = patchedTree({ root: DIETPI_ROOT, device: { user: { passwordHash: HASH } } });
		assert.equal(readTextAt(tree, "/usr/local/lib/netboot/own/password"), `dietpi:${HASH}\n`);
		assert.equal(ownership(tree, "/usr/local/lib/netboot/own/password"), "600 0:0");
		const dropIn = readTextAt(tree, "/etc/systemd/system/dietpi-firstboot.service.d/netboot.conf") ?? "";
		assert.match(dropIn, /chpasswd -e < \/usr\/local\/lib\/netboot\/own\/password/);
	});
});

describe("user-data", () => {
	const USER_DATA = "#cloud-config\npackages: [htop]\n";

	it("is cloud-init's seed in place of the image's own", () => {
		const image = { root: UBUNTU_ROOT, boot: UBUNTU_BOOT, device: { userData: USER_DATA } };
		assert.equal(patchedText(image, "/var/lib/cloud/seed/nocloud/user-data"), USER_DATA);
		assert.equal(ownership(patchedTree(image), "/var/lib/cloud/seed/nocloud/user-data"), "600 0:0");
		const id = (userData: string) =>
			patchedText({ ...image, device: { userData } }, "/var/lib/cloud/seed/nocloud/meta-data");
		assert.match(id(USER_DATA), /^instance-id: netboot-[0-9a-f]{16}\n$/);
		assert.notEqual(id(USER_DATA), id(`${USER_DATA}# another\n`), "other user-data is carried out again");
	});

	it("wakes cloud-init where it would have nothing to do", () => {
		const root = { ...RASPBERRY_PI_OS_TRIXIE, "/etc/cloud/cloud-init.disabled": "" };
		const tree = patchedTree({ root, device: { userData: USER_DATA } });
		assert.equal(readTextAt(tree, "/etc/cloud/cloud-init.disabled"), undefined);
		assert.equal(added({ root: BUILDROOT_BUSYBOX_ROOT }, { userData: USER_DATA }).length, 0);
	});
});

describe("what is prepared on the boot volume", () => {
	const PRESEED = `config_version = "1.0"
[system]
hostname = "kitchen"
[user]
name = "anna"
password = "${HASH}"
password_encrypted = true
[ssh]
enabled = true
authorized_keys = ["${KEY}"]
[wlan]
country = "DE"
[locale]
keymap = "de"
timezone = "Europe/Berlin"
`;
	const EXPECTED = {
		userName: "anna",
		passwordHash: HASH,
		authorizedKeys: [KEY],
		timeZone: "Europe/Berlin",
		keyboard: "de",
		wifiCountry: "DE",
	};

	it("is taken from bookworm's custom.toml and from rpi-preseed.toml", () => {
		const custom = PRESEED.replace('"1.0"', "1");
		assert.deepEqual(preparedSettings(makeTree({ "/custom.toml": custom })), { settings: EXPECTED, problems: [] });
		const both = { "/custom.toml": custom.replaceAll("anna", "otto"), "/rpi-preseed.toml": PRESEED };
		assert.deepEqual(preparedSettings(makeTree(both)), { settings: EXPECTED, problems: [] });
		assert.deepEqual(preparedSettings(makeTree({})), { settings: {}, problems: [] });
	});

	it("is left out where it is wrong, and the sentence holds no secret", () => {
		const text = PRESEED.replace("password_encrypted = true", "")
			.replace(HASH, "hunter2")
			.replace("Europe/Berlin", "../../etc/shadow");
		const { settings, problems } = preparedSettings(makeTree({ "/custom.toml": text }));
		assert.deepEqual(settings, { userName: "anna", authorizedKeys: [KEY], keyboard: "de", wifiCountry: "DE" });
		assert.equal(problems.length, 2);
		assert.match(problems.join(), /plain text.*locale\.timezone/);
		assert.doesNotMatch(problems.join(), /hunter2/);
		const broken = preparedSettings(makeTree({ "/custom.toml": `[user]\npassword = "hunter2` }));
		assert.match(broken.problems.join(), /cannot be read/);
		assert.doesNotMatch(broken.problems.join(), /hunter2/);
	});

	it("never fails, and gives nothing that the patches refuse", () => {
		const line = fc.oneof(
			fc.constantFrom("[user]", "[ssh]", "[locale]", "[wlan]", "password_encrypted = true"),
			fc
				.tuple(fc.constantFrom("name", "password", "authorized_keys", "timezone", "keymap", "country"), fc.string())
				.map(([key, value]) => `${key} = ${JSON.stringify(value)}`),
			fc.string({ unit: "binary" }),
		);
		const root = { ...RASPBERRY_PI_OS_TRIXIE, ...DEBIAN_FILES };
		fc.assert(
			fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
				const { settings } = preparedSettings(makeTree({ "/rpi-preseed.toml": lines.join("\n") }));
				const { userName, passwordHash, authorizedKeys = [], ...region } = settings;
				patchedTree({ root, device: { user: { name: userName, passwordHash }, authorizedKeys, region } });
			}),
			{ numRuns: 100 },
		);
	});
});

describe("values that would break out of their place", () => {
	for (const device of [
		{ region: { timeZone: "../../../etc/shadow" } },
		{ region: { timeZone: "Europe/Berlin\nx" } },
		{ region: { locale: 'de_DE.UTF-8"; reboot' } },
		{ region: { keyboard: "de'\n" } },
		{ region: { wifiCountry: "DE root=/dev/sda" } },
		{ user: { name: "anna:0" } },
		{ user: { passwordHash: "plain" } },
		{ user: { passwordHash: "$6$a\nroot::" } },
	] satisfies Partial<DeviceIdentity>[]) {
		it(`are refused: ${JSON.stringify(device)}`, () => {
			assert.throws(() => patchedTree({ root: RASPBERRY_PI_OS_TRIXIE, device }), BugError);
		});
	}
});
