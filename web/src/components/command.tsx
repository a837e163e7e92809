/** A command to run on the server's machine, with a button that copies it. */
import { ActionIcon, Code, CopyButton, Group } from "@mantine/core";
import { CheckIcon, CopyIcon } from "./icons.tsx";

export function Command({ children }: { readonly children: string }) {
	return (
		<Group gap={6} wrap="nowrap" align="center">
			<Code block flex={1} fz="sm" py={6} style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
				{children}
			</Code>
			<CopyButton value={children}>
				{({ copied, copy }) => (
					<ActionIcon variant="default" size="lg" onClick={copy} aria-label={copied ? "Copied" : "Copy the command"}>
						{copied ? <CheckIcon /> : <CopyIcon />}
					</ActionIcon>
				)}
			</CopyButton>
		</Group>
	);
}
