/** The two halves of a page: beside each other where there is room for both. */
import type { ReactNode } from "react";
import classes from "./columns.module.css";

export function Columns({ children }: { readonly children: ReactNode }) {
	return <div className={classes.columns}>{children}</div>;
}
