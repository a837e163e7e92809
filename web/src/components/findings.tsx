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

interface FindingsProps {
	readonly findings: readonly Finding[];
	/** As many of what is wrong as are shown at once; missing: all. The gravest come first. */
	readonly most?: number;
}

const order: readonly Finding["severity"][] = ["error", "warning", "info"];

export function Findings({ findings, most = findings.length }: FindingsProps) {
	const grave = findings
		.filter(({ severity }) => severity !== "info")
		.toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
	// To fold a single one away would hide it for nothing.
	const shown = grave.length === most + 1 ? grave.length : most;
	const notes = findings.filter(({ severity }) => severity === "info");
	return (
		<>
			{grave.slice(0, shown).map((finding) => (
				<FindingNote key={`${finding.code} ${finding.message}`} finding={finding} />
			))}
			<More summary={`${grave.length - shown} more to mind`} findings={grave.slice(shown)} />
			<More summary={notes.length === 1 ? "1 note" : `${notes.length} notes`} findings={notes} />
		</>
	);
}

function More({ summary, findings }: { readonly summary: string; readonly findings: readonly Finding[] }) {
	if (findings.length === 0) return null;
	return (
		<details className={classes.more}>
			<summary>{summary}</summary>
			{findings.map((finding) => (
				<FindingNote key={`${finding.code} ${finding.message}`} finding={finding} />
			))}
		</details>
	);
}
