/** The boot files that the Pi asked for, and what it got of each. */
import type { AskedFile, BootAttempt } from "@pi-netboot/api";
import { bytesText } from "../../words/bytes.ts";
import { answerText, isTrouble } from "../../words/files.ts";
import { durationText } from "../../words/time.ts";
import classes from "./device.module.css";

export function AskedFiles({ attempt }: { readonly attempt: BootAttempt }) {
	const { files, startedAt } = attempt;
	if (files.length === 0) return null;
	const missing = files.filter(({ answer }) => answer === "missing").length;
	return (
		<details className={classes.files}>
			<summary>
				{files.length === 1 ? "1 file" : `${files.length} files`} asked for
				{missing > 0 && `, ${missing} of them not there`}
				{sent(files) > 0 && `, ${bytesText(sent(files))} sent`}
			</summary>
			{missing > 0 && <p>A Pi asks for many files that only some boards and images have.</p>}
			<table>
				<thead>
					<tr>
						<th scope="col">File</th>
						<th scope="col">Answer</th>
						<th scope="col">After</th>
					</tr>
				</thead>
				<tbody>
					{files.map((file) => (
						<tr key={file.path} data-answer={isTrouble(file) ? "trouble" : file.answer}>
							<td>{file.path}</td>
							<td>{answerText(file)}</td>
							<td>{durationText(file.at - startedAt)}</td>
						</tr>
					))}
				</tbody>
			</table>
		</details>
	);
}

function sent(files: readonly AskedFile[]): number {
	return files.reduce((all, { bytes }) => all + bytes, 0);
}
