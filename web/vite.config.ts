/** How the page is built: into `dist/`, one file per page of the program, nothing inline, nothing from elsewhere. */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { mantineStyles } from "./mantine-styles-plugin.ts";
import { apiRoutes } from "./routes-plugin.ts";

/** Where `npm run dev` has the server. */
const server = process.env.PI_NETBOOT_URL ?? "http://127.0.0.1:38434";

export default defineConfig({
	plugins: [react(), apiRoutes(), mantineStyles()],
	build: {
		target: "es2023",
		// Its policy refuses what stands in the document or in an address.
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		reportCompressedSize: false,
		// Whoever starts the server for the first time sees what is printed here, and can do nothing about it.
		rolldownOptions: { checks: { pluginTimings: false } },
	},
	server: {
		host: "127.0.0.1",
		proxy: { "/api": server, "/icon.svg": server },
	},
});
