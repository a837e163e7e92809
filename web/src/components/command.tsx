/** A line to take elsewhere, a command or a link, with a button that copies it. */
import { ActionIcon, Code, Group } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { CheckIcon, CopyIcon } from "./icons.tsx";

/** Milliseconds for which the button says that it has copied. */
const SAID = 2000;

export function Command({ children }: { readonly children: string }) {
	const line = useRef<HTMLPreElement>(null);
	const [copied, setCopied] = useState(false);
	useEffect(() => {
		if (!copied) return;
		const timer = setTimeout(() => setCopied(false), SAID);
		return () => clearTimeout(timer);
	}, [copied]);
	return (
		<Group gap={6} wrap="nowrap" align="center">
			<Code block flex={1} fz="sm" py={6} style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }} ref={line}>
				{children}
			</Code>
			<ActionIcon
				variant="default"
				size="lg"
				onClick={() => setCopied(line.current !== null && copy(line.current))}
				aria-label={copied ? "Copied" : "Copy it"}
			>
				{copied ? <CheckIcon /> : <CopyIcon />}
			</ActionIcon>
		</Group>
	);
}

/**
 * Selects a text and copies it. The newer `navigator.clipboard` is kept from pages that come without TLS, as this one does.
 *
 * @returns whether the browser let it be copied; the text stays selected, to be copied by hand.
 */
function copy(element: HTMLElement): boolean {
	getSelection()?.selectAllChildren(element);
	return document.execCommand("copy");
}
