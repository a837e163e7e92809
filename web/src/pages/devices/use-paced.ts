/** Paints a crowd step by step, one in each frame. */
import { useEffect, useReducer, useRef } from "react";
import { type Painted, paceOn } from "./paced.ts";
import type { ShownDevice } from "./shown-devices.ts";

/** What is painted by now of what is wanted; a Pi whose turn has not come has its place alone. */
export function usePaced(wanted: readonly ShownDevice[]): Painted {
	const before = useRef<Painted>(new Map());
	const [, goOn] = useReducer((step: number) => step + 1, 0);
	const { painted, isBehind } = paceOn(before.current, wanted);
	useEffect(() => {
		before.current = painted;
		if (!isBehind) return undefined;
		const frame = requestAnimationFrame(goOn);
		return () => cancelAnimationFrame(frame);
	});
	return painted;
}
