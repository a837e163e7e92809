/** The same for several Pis: a few at a time, and one word on all that were refused. */
import type { Device } from "@pi-netboot/api";
import { Away, isLoginOver, Refusal } from "../../api/failures.ts";
import { namesText } from "../../words/models.ts";

/** A browser opens six connections to a server, one of which has the live events: the page itself asks things, too. */
const AT_ONCE = 4;

type Named = Pick<Device, "name">;

interface Failure {
	readonly name: string;
	readonly error: unknown;
}

/**
 * All of them, even if one is refused; but none after the server was away, or the login over.
 *
 * @param onDone is told how many are over, with whatever outcome.
 * @throws what the refusals say, with the names of those that were refused.
 */
export async function forEach<D extends Named>(
	devices: readonly D[],
	act: (device: D) => Promise<unknown>,
	onDone: (count: number) => void = () => undefined,
): Promise<void> {
	const open = [...devices];
	const failures: Failure[] = [];
	let done = 0;
	const work = async () => {
		for (let device = open.shift(); device !== undefined; device = open.shift()) {
			try {
				await act(device);
			} catch (error) {
				failures.push({ name: device.name, error });
				if (!isOfOne(error)) open.length = 0;
			}
			onDone(++done);
		}
	};
	await Promise.all(Array.from({ length: AT_ONCE }, work));
	if (failures.length > 0) throw summary(devices.length, done, failures);
}

/** Whether the next one may fare better. */
function isOfOne(error: unknown): boolean {
	return error instanceof Refusal && !isLoginOver(error);
}

/** @param begun of all. */
function summary(all: number, begun: number, failures: readonly Failure[]): unknown {
	const error = (failures.find((one) => !isOfOne(one.error)) ?? failures[0])?.error;
	if (all === 1) return error;
	const outcome = `Done for ${begun - failures.length} of ${all}.`;
	if (error instanceof Away) return new Away(`${outcome} ${error.message}`);
	if (!(error instanceof Refusal)) return error;
	const { status, code, hint } = error;
	const reasons = isOfOne(error) ? reasonsText(failures) : error.message;
	return new Refusal(status, { code, hint, message: `${outcome} ${reasons}` });
}

/** `Not for pi-1 and pi-2: What the server said of the first. Not for pi-3: ...` */
function reasonsText(failures: readonly Failure[]): string {
	const refusals = failures.flatMap(({ name, error }) => (error instanceof Refusal ? [{ name, error }] : []));
	// The sentences have names in them, so it is the code that tells what is the same.
	const groups = Map.groupBy(refusals, ({ error }) => error.code).values();
	return [...groups]
		.map((group) => `Not for ${namesText(group.map(({ name }) => name))}: ${group[0]?.error.message}`)
		.join(" ");
}
