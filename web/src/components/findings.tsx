/** Findings in words, with what to do about them. */
import { Alert, Stack, Text } from "@mantine/core";
import type { Finding } from "@pi-netboot/api";
import { AlertIcon } from "./icons.tsx";

const colors: Readonly<Record<Finding["severity"], string>> = { info: "blue", warning: "yellow", error: "red" };

export function FindingNote({ finding }: { readonly finding: Omit<Finding, "code"> }) {
	const { severity, message, fix } = finding;
	return (
		<Alert color={colors[severity]} variant="light" icon={<AlertIcon size={16} />} p="xs">
			<Text size="sm">{message}</Text>
			{fix !== undefined && (
				<Text size="sm" mt={2}>
					{fix}
				</Text>
			)}
		</Alert>
	);
}

export function Findings({ findings }: { readonly findings: readonly Finding[] }) {
	if (findings.length === 0) return null;
	return (
		<Stack gap="xs">
			{findings.map((finding) => (
				<FindingNote key={`${finding.code} ${finding.message}`} finding={finding} />
			))}
		</Stack>
	);
}
