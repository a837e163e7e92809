/** How the tables came to be, step by step. A step that was released is never changed: a new one is added behind it. */
import type { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { ExternalError } from "../base/index.ts";
import type { Tables } from "./tables.ts";
import { writes } from "./writes-migration.ts";

/** Names sort in the order of the steps. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
	"0001-first-tables": { up: firstTables },
	"0002-boot-server": { up: bootServer },
	"0003-leases": { up: leases },
	"0004-roots": { up: roots },
	"0005-writes": { up: writes },
	"0006-access": { up: access },
	"0007-tags": { up: tags },
	"0008-seen": { up: seen },
	"0009-attempts": { up: attempts },
};

async function firstTables(db: Kysely<Tables>): Promise<void> {
	await db.schema
		.createTable("devices")
		// AUTOINCREMENT: a key is never used again, so what refers to a forgotten device never means another one.
		.addColumn("key", "integer", (column) => column.primaryKey().autoIncrement())
		.addColumn("id", "text", (column) => column.notNull().unique())
		.addColumn("mac", "text", (column) => column.notNull().unique())
		.addColumn("serial", "text")
		.addColumn("serial_source", "integer", (column) => column.notNull())
		.addColumn("revision", "integer")
		.addColumn("model", "text")
		.addColumn("model_source", "integer", (column) => column.notNull())
		.addColumn("name", "text", (column) => column.notNull())
		.addColumn("image_id", "text")
		.addColumn("root_mode", "text")
		.addColumn("intent", "text", (column) => column.notNull())
		.addColumn("root_reset", "integer", (column) => column.notNull())
		.addColumn("boot_count", "integer", (column) => column.notNull())
		.addColumn("last_boot_at", "integer")
		.addColumn("last_seen_at", "integer", (column) => column.notNull())
		.addColumn("kept", "integer", (column) => column.notNull())
		.addColumn("address", "text")
		.addColumn("address_source", "text")
		.addColumn("address_at", "integer")
		.addColumn("machine_id", "text")
		.addColumn("ssh_host_keys", "text")
		.addColumn("created_at", "integer", (column) => column.notNull())
		.execute();
	await db.schema
		.createTable("device_ids")
		.addColumn("id", "text", (column) => column.primaryKey())
		.addColumn("device_key", "integer", (column) => column.notNull().references("devices.key").onDelete("cascade"))
		.execute();
	await db.schema
		.createTable("boots")
		.addColumn("id", "text", (column) => column.primaryKey())
		.addColumn("device_key", "integer", (column) => column.notNull().references("devices.key").onDelete("cascade"))
		.addColumn("image_id", "text", (column) => column.notNull())
		.addColumn("build_id", "text", (column) => column.notNull())
		.addColumn("layer_id", "text")
		.addColumn("export_token", "text", (column) => column.notNull().unique())
		.addColumn("secret", "text", (column) => column.notNull())
		.addColumn("mode", "text", (column) => column.notNull())
		.addColumn("started_at", "integer", (column) => column.notNull())
		.addColumn("mounted_at", "integer")
		.addColumn("ended_at", "integer")
		.execute();
	await db.schema.createIndex("boots_by_device").on("boots").columns(["device_key", "started_at"]).execute();
	await db.schema
		.createTable("boot_stages")
		.addColumn("boot_id", "text", (column) => column.notNull().references("boots.id").onDelete("cascade"))
		.addColumn("stage", "text", (column) => column.notNull())
		.addColumn("at", "integer", (column) => column.notNull())
		.addPrimaryKeyConstraint("boot_stages_key", ["boot_id", "stage"])
		.execute();
	// A layer outlives its row's device on purpose: its files are dropped first, then the row.
	await db.schema
		.createTable("layers")
		.addColumn("id", "text", (column) => column.primaryKey())
		.addColumn("path", "text", (column) => column.notNull().unique())
		.addColumn("device_key", "integer", (column) => column.notNull())
		.addColumn("image_id", "text", (column) => column.notNull())
		.addColumn("build_id", "text", (column) => column.notNull())
		.addColumn("mode", "text", (column) => column.notNull())
		.addColumn("state", "text", (column) => column.notNull())
		.addColumn("created_at", "integer", (column) => column.notNull())
		.addColumn("last_used_at", "integer", (column) => column.notNull())
		.execute();
	await db.schema.createIndex("layers_by_device").on("layers").columns(["device_key", "build_id"]).execute();
	await db.schema
		.createTable("images")
		.addColumn("id", "text", (column) => column.primaryKey())
		.addColumn("first_name", "text", (column) => column.notNull())
		.addColumn("name", "text", (column) => column.notNull())
		.addColumn("path", "text", (column) => column.notNull())
		.addColumn("dev", "text", (column) => column.notNull())
		.addColumn("ino", "text", (column) => column.notNull())
		.addColumn("superblock_identity", "text", (column) => column.notNull())
		.addColumn("created_at", "integer", (column) => column.notNull())
		.execute();
	await db.schema
		.createTable("settings")
		.addColumn("key", "text", (column) => column.primaryKey())
		.addColumn("value", "text", (column) => column.notNull())
		.execute();
}

/** From which address of ours a boot mounts its root: it has no other one for its whole life. */
async function bootServer(db: Kysely<Tables>): Promise<void> {
	await db.schema.alterTable("boots").addColumn("server", "text").execute();
}

async function leases(db: Kysely<Tables>): Promise<void> {
	await db.schema
		.createTable("leases")
		.addColumn("address", "text", (column) => column.primaryKey())
		.addColumn("mac", "text", (column) => column.notNull())
		.addColumn("state", "text", (column) => column.notNull())
		.addColumn("expires_at", "integer", (column) => column.notNull())
		.execute();
}

/** What a person sets for a device's system, how much its root may hold, and the roots that were kept under a name. */
async function roots(db: Kysely<Tables>): Promise<void> {
	await db.schema.alterTable("devices").addColumn("customisation", "text").execute();
	await db.schema.alterTable("devices").addColumn("quota_bytes", "integer").execute();
	// As with layers, the files go before the row, whatever becomes of the device.
	await db.schema
		.createTable("snapshots")
		.addColumn("id", "text", (column) => column.primaryKey())
		.addColumn("device_key", "integer", (column) => column.notNull())
		.addColumn("name", "text", (column) => column.notNull())
		.addColumn("path", "text", (column) => column.notNull().unique())
		.addColumn("image_id", "text", (column) => column.notNull())
		.addColumn("build_id", "text", (column) => column.notNull())
		.addColumn("created_at", "integer", (column) => column.notNull())
		.addUniqueConstraint("snapshots_by_name", ["device_key", "name"])
		.execute();
}

/** Tokens with a name, who changed what, and what was wrong with each device. */
async function access(db: Kysely<Tables>): Promise<void> {
	await db.schema
		.createTable("tokens")
		.addColumn("id", "text", (column) => column.primaryKey())
		.addColumn("name", "text", (column) => column.notNull().unique())
		.addColumn("hash", "text", (column) => column.notNull().unique())
		.addColumn("created_at", "integer", (column) => column.notNull())
		.addColumn("last_used_at", "integer")
		.execute();
	// AUTOINCREMENT: pages go by the id, so it never comes again.
	await db.schema
		.createTable("audit")
		.addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
		.addColumn("at", "integer", (column) => column.notNull())
		.addColumn("who", "text", (column) => column.notNull())
		.addColumn("address", "text", (column) => column.notNull())
		.addColumn("action", "text", (column) => column.notNull())
		.addColumn("target", "text")
		.addColumn("details", "text", (column) => column.notNull())
		.execute();
	await db.schema
		.createTable("diagnoses")
		.addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
		.addColumn("device_key", "integer", (column) => column.notNull().references("devices.key").onDelete("cascade"))
		.addColumn("boot_id", "text")
		.addColumn("code", "text", (column) => column.notNull())
		.addColumn("severity", "text", (column) => column.notNull())
		.addColumn("message", "text", (column) => column.notNull())
		.addColumn("fix", "text", (column) => column.notNull())
		.addColumn("at", "integer", (column) => column.notNull())
		.addColumn("ended_at", "integer")
		.execute();
	await db.schema.createIndex("diagnoses_by_device").on("diagnoses").columns(["device_key", "id"]).execute();
	await db.schema.createIndex("diagnoses_by_boot").on("diagnoses").column("boot_id").execute();
}

async function tags(db: Kysely<Tables>): Promise<void> {
	await db.schema
		.alterTable("devices")
		.addColumn("tags", "text", (column) => column.notNull().defaultTo(""))
		.execute();
}

async function seen(db: Kysely<Tables>): Promise<void> {
	await db.schema
		.alterTable("diagnoses")
		.addColumn("seen", "text", (column) => column.notNull().defaultTo(""))
		.execute();
}

async function attempts(db: Kysely<Tables>): Promise<void> {
	await db.schema
		.createTable("attempts")
		.addColumn("device_key", "integer", (column) => column.notNull().references("devices.key").onDelete("cascade"))
		.addColumn("started_at", "integer", (column) => column.notNull())
		.addColumn("attempt", "text", (column) => column.notNull())
		.addPrimaryKeyConstraint("attempts_key", ["device_key", "started_at"])
		.execute();
}

/** Steps that the file has behind it and that we do not know. */
async function unknownSteps(db: Kysely<Tables>): Promise<string[]> {
	const done = await db
		.withTables<{ kysely_migration: { name: string } }>()
		.selectFrom("kysely_migration")
		.select("name")
		.execute();
	return done.map((step) => step.name).filter((name) => !(name in MIGRATIONS));
}

/**
 * Brings the tables up to date, all steps in one transaction.
 *
 * @param db without plugins: the steps speak the names of the file.
 * @throws ExternalError `data-newer` when a later version of the program has written the file.
 */
export async function migrate(db: Kysely<Tables>): Promise<void> {
	const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
	const { error } = await migrator.migrateToLatest();
	if (error === undefined) return;
	const unknown = await unknownSteps(db);
	if (unknown.length === 0) throw error;
	throw new ExternalError(
		"data-newer",
		`The data folder was written by a later version (it knows ${unknown.join(", ")})`,
		{
			hint: "Start that version again, or give this one a folder of its own with --data.",
			cause: error,
		},
	);
}
