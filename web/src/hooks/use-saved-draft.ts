/** A form that is saved in one go, with what came of that. */
import { type UseMutationResult, useMutation } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { type DraftForm, useDraft } from "./use-draft.ts";

interface SavedDraftForm<T> extends Omit<DraftForm<T>, "saved"> {
	readonly save: UseMutationResult<unknown, Error, T>;
	readonly submit: (event: FormEvent) => void;
}

/**
 * @param now what holds, as the form has it.
 * @param send saves what the fields show; what is typed meanwhile stays.
 */
export function useSavedDraft<T extends object>(now: T, send: (sent: T) => Promise<unknown>): SavedDraftForm<T> {
	const { saved, discard, ...draft } = useDraft(now);
	const save = useMutation({ mutationFn: send, onSuccess: (_, sent) => saved(sent) });
	return {
		...draft,
		save,
		// What was said of the last attempt is over, too.
		discard: () => {
			discard();
			save.reset();
		},
		submit: (event) => {
			event.preventDefault();
			save.mutate(draft.shown);
		},
	};
}
