/** Facts with their names. */
import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./facts.module.css";

export function Facts({ children }: { readonly children: ReactNode }) {
	return <dl className={classes.facts}>{children}</dl>;
}

export function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
	return (
		<div>
			<Text component="dt" size="xs" c="dimmed">
				{name}
			</Text>
			<Text component="dd" size="sm" className={classes.value}>
				{children}
			</Text>
		</div>
	);
}
