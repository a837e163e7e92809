/** The one door to what the server remembers: `DATA_DIR/netboot.db`. */
import { constants } from "node:fs";
import { chmod, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { CamelCasePlugin, Kysely } from "kysely";
import { ExternalError, errorText, settleSeries } from "../base/index.ts";
import { AttemptRepository } from "./attempts.ts";
import { AuditRepository } from "./audit.ts";
import { BootRepository } from "./boots.ts";
import { DeviceRepository } from "./devices.ts";
import { DiagnosisRepository } from "./diagnoses.ts";
import { WalSync } from "./durable.ts";
import { ImageRepository } from "./images.ts";
import { LayerRepository } from "./layers.ts";
import { LeaseRepository } from "./leases.ts";
import { migrate } from "./migrations.ts";
import { SettingRepository } from "./settings.ts";
import { SnapshotRepository } from "./snapshots.ts";
import { openDialect } from "./sqlite.ts";
import type { Tables } from "./tables.ts";
import { TokenRepository } from "./tokens.ts";
import { WriteRepository } from "./writes.ts";

/** What can be changed together in one transaction. */
export interface Repositories {
	readonly devices: DeviceRepository;
	readonly boots: BootRepository;
	readonly layers: LayerRepository;
	readonly images: ImageRepository;
	readonly snapshots: SnapshotRepository;
	readonly writes: WriteRepository;
	readonly diagnoses: DiagnosisRepository;
	readonly attempts: AttemptRepository;
}

export interface Store extends Repositories {
	readonly settings: SettingRepository;
	readonly leases: LeaseRepository;
	readonly tokens: TokenRepository;
	readonly audit: AuditRepository;

	/**
	 * Runs `work` so that all of its changes take effect or none, also over a `kill -9`. Everybody else waits meanwhile:
	 * `work` does nothing but call the repositories that it is given (the store's own would wait for ever).
	 */
	transaction<T>(work: (repositories: Repositories) => Promise<T>): Promise<T>;

	/** Resolves when all that was stored before the call survives a power cut too. */
	durable(): Promise<void>;

	close(): Promise<void>;
}

function repositories(db: Kysely<Tables>): Repositories {
	return {
		devices: new DeviceRepository(db),
		boots: new BootRepository(db),
		layers: new LayerRepository(db),
		images: new ImageRepository(db),
		snapshots: new SnapshotRepository(db),
		writes: new WriteRepository(db),
		diagnoses: new DiagnosisRepository(db),
		attempts: new AttemptRepository(db),
	};
}

/** The file holds private keys: nobody else may read it, whatever the umask. SQLite gives its other files the same mode. */
async function createPrivate(path: string): Promise<void> {
	try {
		await mkdir(dirname(path), { recursive: true, mode: 0o700 });
		const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
		await file.close();
		await chmod(path, 0o600);
	} catch (error) {
		throw new ExternalError("data-unreadable", `${path}: ${errorText(error)}`, {
			hint: "Make the data folder belong to the user who runs the server, or choose another with --data.",
			cause: error,
		});
	}
}

/**
 * Opens the database, makes it when there is none, and brings its tables up to date. One process at a time.
 *
 * @param path of the file; missing folders on the way are made.
 * @throws ExternalError with a hint: `data-in-use`, `data-newer`, `data-corrupt`, `data-full`, `data-unreadable`, ...
 */
export async function openStore(path: string): Promise<Store> {
	await createPrivate(path);
	const db = new Kysely<Tables>({ dialect: openDialect(path), plugins: [new CamelCasePlugin()] });
	try {
		await migrate(db.withoutPlugins());
		const settings = await SettingRepository.load(db);
		const wal = await WalSync.open(path);
		return {
			...repositories(db),
			settings,
			leases: new LeaseRepository(db),
			tokens: new TokenRepository(db),
			audit: new AuditRepository(db),
			transaction: (work) => db.transaction().execute((transaction) => work(repositories(transaction))),
			durable: () => wal.sync(),
			close: () => settleSeries([() => wal.close(), () => db.destroy()]),
		};
	} catch (error) {
		await db.destroy();
		throw error;
	}
}
