/** A number that is never below nothing; empty where there is none. */
import { NumberInput } from "@mantine/core";
import { useState } from "react";

/** Far more than anybody has, and bytes of so many gigabytes are still counted exactly. */
const MOST = 1_000_000;

interface AmountInputProps {
	readonly label: string;
	readonly description: string;
	readonly value: number | "";
	/** Whether it is counted in ones. */
	readonly isWhole?: boolean;
	readonly onChange: (value: number | "") => void;
}

export function AmountInput({ isWhole = false, value, onChange, ...others }: AmountInputProps) {
	// On the way to 1.5 there is `1.`, which is no number yet: it stays as it was typed while it means what holds.
	const [typed, setTyped] = useState<number | string>("");
	return (
		<NumberInput
			{...others}
			value={amountOf(typed) === value ? typed : value}
			min={0}
			max={MOST}
			// A minus cannot be typed: it would become 0 when the field is left, which means no limit.
			allowNegative={false}
			allowDecimal={!isWhole}
			onChange={(input) => {
				setTyped(input);
				onChange(amountOf(input));
			}}
		/>
	);
}

function amountOf(typed: number | string): number | "" {
	const amount = typed === "" ? Number.NaN : Number(typed);
	return Number.isNaN(amount) ? "" : amount;
}
