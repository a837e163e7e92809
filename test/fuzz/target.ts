/** What a fuzzer runs: a decoder, inputs that it takes, and how to make others out of them. */
import type { Random } from "./random.ts";

export interface FuzzTarget {
	/** Names its corpus: `corpus/NAME.hex`. */
	readonly name: string;
	/** Inputs as the world has them. Asked once. */
	seeds(): readonly Buffer[];
	/** Byte strings that mean something here: option names, magic numbers. */
	readonly words?: readonly (string | Buffer)[];
	/** Bytes that an input has at most, 4,096 unless told. */
	readonly longest?: number;
	/** Another input out of this one and a second one. Where it is missing, bytes are changed without knowing what they mean. */
	mutate?(random: Random, input: Buffer, other: Buffer): Buffer;
	/**
	 * Decodes the input and checks what must hold for the result.
	 *
	 * @returns what came of it in a few words, one thing per line: what was not seen before makes an input worth keeping.
	 * @throws an error of ours for an input that is refused; every other error is a failure.
	 */
	run(input: Buffer): string | Promise<string>;
	/** Bytes that may be allocated in one piece, whatever the input's size; 1 MiB unless told. */
	readonly allowance?: number;
	/** How many runs the short test makes, 2,000 unless told. */
	readonly shortRuns?: number;
}
