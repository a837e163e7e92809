/** A boot as a person reads it on a terminal: a line for each stage once it is over. */
import type { BootReport, BootStep } from "./report.ts";

export class StageLines {
	readonly #print: ((line: string) => void) | undefined;
	readonly #who: string;
	/** Whether only the end of the boot gets a line. */
	readonly #isBrief: boolean;
	#files = 0;
	#last: BootStep | undefined;

	/** @param who stands at the beginning of each line. */
	constructor(print: ((line: string) => void) | undefined, who: string, isBrief: boolean) {
		this.#print = print;
		this.#who = who;
		this.#isBrief = isBrief;
	}

	add(step: BootStep): void {
		if (step.step === "failed" || step.step === "done") return;
		if (this.#last !== undefined && this.#last.step !== step.step) this.#show(this.#last);
		if (step.step === "tftp") this.#files++;
		this.#last = step;
	}

	#show({ atMs, step, detail }: BootStep): void {
		if (this.#isBrief) return;
		const text = step === "tftp" ? `${this.#files} requests, the last for ${detail}` : detail;
		this.#line(atMs, step, text);
	}

	#line(atMs: number, step: string, text: string): void {
		this.#print?.(`${this.#who} ${(atMs / 1000).toFixed(2).padStart(6)} s  ${step.padEnd(9)}  ${text}`.trimEnd());
	}

	end({ ok, error, steps }: BootReport): void {
		if (this.#last !== undefined) this.#show(this.#last);
		this.#line(steps.at(-1)?.atMs ?? 0, ok ? "booted" : "failed", ok ? "" : (error ?? ""));
	}
}
