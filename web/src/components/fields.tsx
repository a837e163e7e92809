/** Fields of a form: as many beside each other as fit, all equally wide. */
import type { ReactNode } from "react";
import classes from "./fields.module.css";

export function Fields({ children }: { readonly children: ReactNode }) {
	return <div className={classes.fields}>{children}</div>;
}
