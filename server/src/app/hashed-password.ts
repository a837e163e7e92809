/** A password that a person typed becomes its hash before anything is kept of it. */
import type { CustomisationChanges } from "@pi-netboot/api";
import { type CustomisationChanges as Hashed, hashPassword } from "../devices/index.ts";

export async function withPasswordHashed({ password, ...changes }: CustomisationChanges): Promise<Hashed> {
	return password === undefined ? changes : { ...changes, passwordHash: await hashPassword(password) };
}
