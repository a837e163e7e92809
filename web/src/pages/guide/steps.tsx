/** How far somebody has come: which steps are done, which one is next. */
import { VisuallyHidden } from "@mantine/core";
import { CheckIcon } from "../../components/icons.tsx";
import classes from "./steps.module.css";

interface StepsProps {
	readonly names: readonly string[];
	/** How many of them are done. */
	readonly done: number;
}

export function Steps({ names, done }: StepsProps) {
	return (
		<ol className={classes.steps} aria-label="How far you are">
			{names.map((name, index) => (
				<li key={name} aria-current={index === done ? "step" : undefined} data-done={index < done || undefined}>
					<span className={classes.mark} aria-hidden="true">
						{index < done ? <CheckIcon size={16} /> : index + 1}
					</span>
					{name}
					{index < done && <VisuallyHidden>, done</VisuallyHidden>}
				</li>
			))}
		</ol>
	);
}
