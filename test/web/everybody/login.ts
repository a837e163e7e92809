/** What is before and beside the page: the login and its end, the description of the API, a server that is away. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { violations } from "../../harness/axe.ts";
import { SITE } from "../../harness/server.ts";
import { assertKind, context, hands, menuLink, page, room, screen, skip, visit } from "./room.ts";

const PASSWORD = "correct horse battery";

describe("before and beside the page", { skip, timeout: 120_000 }, () => {
	it("the description of the API breaks no rule", async () => {
		for (const colorScheme of ["light", "dark"] as const) {
			await page.emulateMedia({ colorScheme });
			await page.goto(`${SITE}/api/docs`);
			// There are a hundred and more that are made alike; to look at all of them takes long.
			await page.evaluate("for (const one of document.querySelectorAll('section:not(:nth-child(9n))')) one.remove()");
			assert.deepEqual(await violations(page), [], colorScheme);
		}
	});

	it("a password is set, and who has logged out comes in by it, with keys alone", async () => {
		await screen.go("/settings");
		await hands.fill(page.getByRole("textbox", { name: "A password, to log in without a link" }), PASSWORD);
		await hands.press("Enter");
		await page.getByRole("textbox", { name: "Another password" }).waitFor();
		await hands.use(screen.button("Log out"));
		await page.getByRole("heading", { name: "Log in" }).waitFor();
		for (const colorScheme of ["light", "dark"] as const) {
			await page.emulateMedia({ colorScheme });
			assert.deepEqual(await violations(page), [], colorScheme);
		}
		await hands.fill(page.getByLabel("Password"), PASSWORD);
		await hands.press("Enter");
		await screen.untilLive();
	});

	it("says that the login has ended, and leads to the next", async () => {
		await visit("Log", "Log");
		await context.clearCookies();
		await hands.use(menuLink("Images"));
		const again = page.getByRole("status").getByRole("link", { name: "Log in again" });
		await again.waitFor();
		await assertKind("after the login has ended");
		await hands.use(again);
		await hands.fill(page.getByLabel("Password"), "a wrong one");
		await hands.press("Enter");
		await page.getByText("This is not the password.").waitFor();
		assert.deepEqual(await violations(page), []);
		await hands.fill(page.getByLabel("Password"), PASSWORD);
		await hands.press("Enter");
		await screen.heading("Images").waitFor();
	});

	it("says that the server is away", async () => {
		await screen.untilLive();
		await room().server.kill();
		await page.getByRole("status").getByText("Server away").waitFor();
		assert.deepEqual(await violations(page), []);
	});
});
