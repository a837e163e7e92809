/** The tables of writing to disks. */
import type { Kysely } from "kysely";
import type { Tables } from "./tables.ts";

export async function writes(db: Kysely<Tables>): Promise<void> {
	await db.schema.alterTable("devices").addColumn("write_target", "text").execute();
	// A receipt outlives its device.
	await db.schema
		.createTable("writes")
		.addColumn("id", "text", (column) => column.primaryKey())
		.addColumn("device_key", "integer", (column) => column.notNull())
		.addColumn("device_id", "text", (column) => column.notNull())
		.addColumn("device_name", "text", (column) => column.notNull())
		.addColumn("image_id", "text", (column) => column.notNull())
		.addColumn("image_name", "text", (column) => column.notNull())
		.addColumn("build_id", "text")
		.addColumn("map", "text")
		.addColumn("data_bytes", "integer", (column) => column.notNull())
		.addColumn("zero_bytes", "integer", (column) => column.notNull())
		.addColumn("target_path", "text", (column) => column.notNull())
		.addColumn("target_model", "text", (column) => column.notNull())
		.addColumn("target_serial", "text", (column) => column.notNull())
		.addColumn("target_size", "integer", (column) => column.notNull())
		.addColumn("target_identity", "text", (column) => column.notNull())
		.addColumn("verify", "text", (column) => column.notNull())
		.addColumn("origin", "text", (column) => column.notNull())
		.addColumn("stage", "text", (column) => column.notNull())
		.addColumn("percent", "real", (column) => column.notNull())
		.addColumn("run", "text")
		.addColumn("cancelled", "integer", (column) => column.notNull())
		.addColumn("attempts", "integer", (column) => column.notNull())
		.addColumn("counts", "text", (column) => column.notNull())
		.addColumn("durable", "text")
		.addColumn("times", "text", (column) => column.notNull())
		.addColumn("failure", "text")
		.addColumn("created_at", "integer", (column) => column.notNull())
		.addColumn("ended_at", "integer")
		.execute();
	await db.schema.createIndex("writes_by_end").on("writes").columns(["ended_at", "created_at"]).execute();
	await db.schema
		.createTable("inventories")
		.addColumn("device_key", "integer", (column) => column.primaryKey().references("devices.key").onDelete("cascade"))
		.addColumn("boot_id", "text", (column) => column.notNull())
		.addColumn("version", "text", (column) => column.notNull())
		.addColumn("heard_at", "integer", (column) => column.notNull())
		.addColumn("inventory", "text", (column) => column.notNull())
		.execute();
}
