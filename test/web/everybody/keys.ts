/** All that can be done on the page is done by keys alone; what opens breaks no rule for those who cannot see it, and the focus is never lost. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { DeviceList, Network, TokenList } from "@pi-netboot/api";
import { violations } from "../../harness/axe.ts";
import { eventually } from "../../harness/eventually.ts";
import { focused } from "../../harness/keyboard.ts";
import {
	arriveAt,
	assertKind,
	BROUGHT,
	bench,
	deviceOf,
	focusIsOn,
	hands,
	page,
	room,
	SENT,
	screen,
	skip,
	visit,
} from "./room.ts";

describe("by keyboard", { skip, timeout: 300_000 }, () => {
	it("the page is entered past its menu", async () => {
		await page.getByRole("searchbox").waitFor();
		await hands.press("Tab");
		assert.equal(await focused(page), "A To the page");
		await hands.press("Enter");
		await focusIsOn(/^MAIN/);
		await hands.press("Tab");
		assert.equal(await focused(page), "INPUT Search the Pis");
	});

	it("a virtual Pi is started from the guide, and seen running", async () => {
		await visit("Set-up guide", "Set-up guide");
		await hands.goTo(page.getByLabel("Model"));
		await hands.press("ArrowDown");
		await hands.use(screen.button("Start a virtual Pi"));
		await page.getByText(/^It is switched on/).waitFor();
		const { devices } = await eventually("the Pi", async () => {
			const list = await room().server.api<DeviceList>("GET", "/api/v1/devices");
			return list.devices.some(({ model, stage }) => model === "pi4" && stage === "userspace") ? list : undefined;
		});
		const name = devices.find(({ model }) => model === "pi4")?.name ?? "";
		await screen.region("3. Connect it").getByRole("link", { name }).waitFor();
	});

	it("a Pi gets a name, tags, a mode and an image", async () => {
		await visit("Pis", "Pis");
		await hands.use(screen.link("bench"));
		await arriveAt("bench");
		const settings = screen.region("Settings");
		await hands.fill(settings.getByRole("textbox", { name: "Name" }), "bench-1");
		await hands.goTo(settings.getByRole("combobox", { name: "Tags" }));
		for (const tag of ["room-2", "wrong"]) {
			await page.keyboard.type(tag);
			await hands.press("Enter");
		}
		await hands.press("Backspace");
		await hands.goTo(settings.getByLabel("Image"));
		await hands.press("ArrowDown");
		await hands.goTo(settings.getByRole("radio", { name: "Keep changes" }));
		await hands.press("ArrowDown");
		await hands.use(settings.getByRole("button", { name: "Save" }));
		await screen.heading("bench-1").waitFor();
		await settings.getByText("Saved.").waitFor();
		// The button has nothing to do any more; what it belongs to has the focus.
		await focusIsOn(/^FORM/);
		const { tags, rootMode, imageId } = await deviceOf(bench);
		assert.deepEqual([tags, rootMode, imageId], [["room-2"], "ephemeral", "raspios"]);
	});

	it("a Pi is asked about before it loses something, and Escape leaves it as it is", async () => {
		const reset = screen.region("Root").getByRole("button", { name: "Reset", exact: true });
		await hands.use(reset);
		await focusIsOn(/^BUTTON Cancel/);
		await assertKind("the question");
		await hands.press("Escape");
		await focusIsOn(/^BUTTON Reset/);
	});

	it("several Pis are changed at once", async () => {
		await visit("Pis", "Pis");
		await hands.goTo(page.getByRole("checkbox", { name: "Select bench-1" }));
		await hands.press("Space");
		const bar = screen.region("Selected Pis");
		await bar.getByText("1 Pi selected").waitFor();
		await hands.use(bar.getByRole("button", { name: "Root" }));
		await page.getByRole("menuitem", { name: "Read only" }).waitFor();
		assert.deepEqual(await violations(page), []);
		await hands.press("End", "Enter");
		await focusIsOn(/^BUTTON Root/);
		await eventually("the mode", async () => (await deviceOf(bench)).rootMode === "read-only" || undefined);
		await hands.use(bar.getByRole("button", { name: "Tags" }));
		await focusIsOn(/^INPUT Tags/);
		await page.keyboard.type("printers");
		await hands.press("Enter");
		assert.deepEqual(await violations(page), []);
		await hands.use(screen.dialog().getByRole("button", { name: "Save" }));
		await screen.dialog().waitFor({ state: "detached" });
		await focusIsOn(/^BUTTON Tags/);
		assert.deepEqual((await deviceOf(bench)).tags, ["printers", "room-2"]);
		await hands.use(bar.getByRole("button", { name: "Clear" }));
		await bar.waitFor({ state: "detached" });
		await focusIsOn(/^(?!BODY)/);
	});

	it("images are sent, and brought by their address", async () => {
		await visit("Images", "Images");
		await hands.goTo(page.locator('input[type="file"]'));
		const chooser = page.waitForEvent("filechooser");
		await hands.press("Space");
		await (await chooser).setFiles(join(room().folder, SENT));
		await page.getByText(/^Uploaded: /).waitFor();
		await hands.use(screen.button("Add by address"));
		await focusIsOn(/^INPUT Address/);
		await page.keyboard.type("/no/such/image.img");
		await hands.press("Enter");
		await screen.dialog().getByRole("alert").waitFor();
		assert.deepEqual(await violations(page), []);
		await hands.fill(screen.dialog().getByLabel("Address"), join(room().folder, BROUGHT));
		await hands.press("Enter");
		await page.getByRole("article", { name: BROUGHT }).getByText("Broken").waitFor();
		await focusIsOn(/^BUTTON Add by address/);
	});

	it("an image is taken away from its menu, which is left by Escape", async () => {
		const menu = screen.button(`What can be done with ${BROUGHT}`);
		await hands.use(menu);
		await focusIsOn(/^BUTTON Rename/);
		await assertKind("the menu");
		await hands.press("Escape");
		await focusIsOn(/^BUTTON What can be done with/);
		await hands.press("Enter");
		await focusIsOn(/^BUTTON Rename/);
		await hands.press("End", "Enter");
		await focusIsOn(/^BUTTON Cancel/);
		await assertKind("the question");
		await hands.press("Escape");
		await focusIsOn(/^BUTTON What can be done with/);
		await hands.press("Enter");
		await focusIsOn(/^BUTTON Rename/);
		await hands.press("End", "Enter");
		await hands.use(screen.dialog().getByRole("button", { name: "Remove" }));
		await menu.waitFor({ state: "detached" });
		await focusIsOn(/^(?!BODY)/);
	});

	it("the way of the addresses is changed, and changed back", async () => {
		const mode = async () => (await room().server.api<Network>("GET", "/api/v1/network")).mode;
		await visit("Network", "Network");
		await hands.goTo(page.getByRole("radio", { name: "This server gives the addresses" }));
		await hands.press("ArrowDown");
		await hands.use(screen.button("Apply"));
		await page.getByText("It holds now.").waitFor();
		assert.equal(await mode(), "off");
		await hands.use(screen.button("Undo"));
		await page.getByText("It holds now.").waitFor({ state: "detached" });
		assert.equal(await mode(), "full");
		await focusIsOn(/^(?!BODY)/);
	});

	it("the log is sifted", async () => {
		await visit("Log", "Log");
		await hands.fill(page.getByRole("searchbox", { name: "Search the log" }), "virtual");
		await hands.goTo(page.getByRole("combobox", { name: "Level" }));
		await hands.press("Enter");
		await page.getByRole("listbox").waitFor();
		assert.deepEqual(await violations(page), []);
		await hands.press("ArrowUp", "Enter");
		await page.getByRole("log").getByText("a virtual pi4 is switched on").waitFor();
	});

	it("a token is made and revoked", async () => {
		await visit("Settings", "Settings");
		await hands.fill(page.getByRole("textbox", { name: "A new one, for" }), "a robot");
		await hands.press("Enter");
		await page.getByText("The token a robot, shown this once").waitFor();
		assert.deepEqual(await violations(page), []);
		await hands.use(screen.button("Revoke a robot"));
		await hands.use(screen.dialog().getByRole("button", { name: "Revoke" }));
		await screen.button("Revoke a robot").waitFor({ state: "detached" });
		await focusIsOn(/^(?!BODY)/);
		const { tokens } = await room().server.api<TokenList>("GET", "/api/v1/tokens");
		assert.deepEqual(
			tokens.map(({ name }) => name),
			["build server"],
		);
	});

	it("a disk is written, once its owner has typed whose it is", async () => {
		await screen.go(`/devices/${bench.id}`);
		await hands.use(screen.button("Write to disk"));
		await screen.dialog().getByText("All that is on the disk is lost").waitFor();
		await hands.fill(screen.dialog().getByRole("textbox"), "bench-1");
		await assertKind("the order");
		await hands.use(screen.dialog().getByRole("button", { name: "I understand - write now" }));
		await screen.dialog().waitFor({ state: "detached" });
		await page.getByText(/^\d+ MB written in .* read back and compared\.$/).waitFor();
	});
});
