/** Starts the page. */
import { MantineProvider } from "@mantine/core";
import "virtual:mantine-styles";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { setNonce } from "get-nonce";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { isLoginOver } from "./api/failures.ts";
import { Live } from "./api/live.ts";
import { fetchPageFiles } from "./api/page-files.ts";
import { LiveContext } from "./components/live-context.ts";
import { router } from "./router.tsx";
import "./styles.css";
import { cssVariables, theme } from "./theme.ts";

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
// For the components that make style elements without Mantine's help.
setNonce(nonce);

/** Of whatever is asked: when the login has ended, the head of the page says so, too. */
function doubtLogin(error: Error): void {
	if (isLoginOver(error)) void client.invalidateQueries({ queryKey: ["session"] });
}

const client = new QueryClient({
	queryCache: new QueryCache({ onError: (error, { queryKey }) => queryKey[0] !== "session" && doubtLogin(error) }),
	mutationCache: new MutationCache({ onError: doubtLogin }),
	defaultOptions: {
		// The server may be there where the browser believes that nothing is: on this machine, or on a cable to a Pi.
		queries: { retry: 1, staleTime: 5000, refetchOnWindowFocus: false, networkMode: "always" },
		mutations: { networkMode: "always" },
	},
});
const live = new Live(client);
live.start();
fetchPageFiles();

const root = document.getElementById("root");
if (root !== null) {
	createRoot(root).render(
		<StrictMode>
			<MantineProvider
				theme={theme}
				cssVariablesResolver={cssVariables}
				defaultColorScheme="auto"
				getStyleNonce={() => nonce}
			>
				<QueryClientProvider client={client}>
					<LiveContext value={live}>
						<RouterProvider router={router} />
					</LiveContext>
				</QueryClientProvider>
			</MantineProvider>
		</StrictMode>,
	);
}
