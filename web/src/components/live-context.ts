/** The stream of live events, for whoever shows whether it is there. */
import { createContext, use, useSyncExternalStore } from "react";
import type { Live, LiveState } from "../api/live.ts";

export const LiveContext = createContext<Live | null>(null);

export function useLive(): Live {
	const live = use(LiveContext);
	if (live === null) throw new Error("There are no live events here.");
	return live;
}

export function useLiveState(): LiveState {
	const live = useLive();
	return useSyncExternalStore(live.subscribe, live.state);
}
