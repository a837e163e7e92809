/** Findings in words, with what to do about them: what is wrong first, what is only worth knowing on request. */
import { Text } from "@mantine/core";
import type { Finding } from "@pi-netboot/api";
import classes from "./findings.module.css";
import { AlertIcon, InfoIcon } from "./icons.tsx";

type Said = Omit<Finding, "code"> & { readonly seen?: string };

const words: Readonly<Record<Finding["severity"], string>> = { error: "Wrong", warning: "Mind", info: "Note" };

export function FindingNote({ finding }: { readonly finding: Said }) {
	const { severity, message, seen = "", fix } = finding;
	return (
		<div className={classes.note} data-severity={severity}>
			<span className={classes.icon} role="img" aria-label={words[severity]}>
				{severity === "info" ? <InfoIcon size={16} /> : <AlertIcon size={16} />}
			</span>
			<div>
				<Text size="sm">{message}</Text>
				{seen !== "" && (
					<Text size="sm" c="dimmed">
						Seen: {seen}
					</Text>
				)}
				{fix !== undefined && (
					<Text size="sm" c="dimmed">
						{fix}
					</Text>
				)}
			</div>
		</div>
	);
}

export function Findings({ findings }: { readonly findings: readonly Finding[] }) {
	const grave = findings.filter(({ severity }) => severity !== "info");
	const notes = findings.filter(({ severity }) => severity === "info");
	return (
		<>
			{grave.map((finding) => (
				<FindingNote key={`${finding.code} ${finding.message}`} finding={finding} />
			))}
			{notes.length > 0 && (
				<details className={classes.more}>
					<summary>{notes.length === 1 ? "1 note" : `${notes.length} notes`}</summary>
					{notes.map((finding) => (
						<FindingNote key={`${finding.code} ${finding.message}`} finding={finding} />
					))}
				</details>
			)}
		</>
	);
}
