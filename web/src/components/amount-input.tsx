/** A number that is never below nothing; empty where there is none. */
import { NumberInput } from "@mantine/core";

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

export function AmountInput({ isWhole = false, onChange, ...others }: AmountInputProps) {
	return (
		<NumberInput
			{...others}
			min={0}
			max={MOST}
			// A minus cannot be typed: it would become 0 when the field is left, which means no limit.
			allowNegative={false}
			allowDecimal={!isWhole}
			onChange={(value) => onChange(typeof value === "number" ? value : "")}
		/>
	);
}
