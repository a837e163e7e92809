/** An order for several Pis, how far it is, and what came of it. */
import type { Device } from "@pi-netboot/api";
import { useIsMutating, useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { forEach } from "./for-each.ts";

/** How many are over, of how many. */
export interface Progress {
	readonly done: number;
	readonly all: number;
}

const mutationKey = ["several"];

/** Whether such an order is under way: whoever left it would not hear who was refused. */
export function useSeveralPending(): boolean {
	return useIsMutating({ mutationKey }) > 0;
}

/**
 * @param act orders it for one of them.
 * @param onDone when none refused.
 */
export function useSeveral<D extends Pick<Device, "name">, W = void>(
	devices: readonly D[],
	act: (device: D, wanted: W) => Promise<unknown>,
	onDone: () => void,
) {
	const [progress, setProgress] = useState<Progress>({ done: 0, all: 0 });
	const order = useMutation({
		mutationKey,
		mutationFn: (wanted: W) => {
			const all = devices.length;
			setProgress({ done: 0, all });
			return forEach(
				devices,
				(device) => act(device, wanted),
				(done) => setProgress({ done, all }),
			);
		},
		onSuccess: onDone,
	});
	return { ...order, progress: order.isPending ? progress : undefined };
}
