/** What is known of a write that is over, for whoever wants to prove or to repeat it. */
import type { Write } from "@pi-netboot/api";
import { bytesText } from "../words/bytes.ts";
import { dateTimeText, durationText } from "../words/time.ts";
import { Fact, Facts } from "./facts.tsx";
import classes from "./write-item.module.css";
import { writeStages } from "./write-stages.ts";

export function WriteReceipt({ write }: { readonly write: Write }) {
	const { disk, target, map, buildId, bytesDone, verifiedBytes, zeroedBytes, wireBytes, retries, attempts } = write;
	return (
		<details className={classes.receipt}>
			<summary>{write.stage === "complete" ? "Receipt" : "What was done"}</summary>
			<Facts>
				<Fact name="Begun">{dateTimeText(write.times[0]?.at ?? write.createdAt)}</Fact>
				{write.endedAt !== null && <Fact name="Ended">{dateTimeText(write.endedAt)}</Fact>}
				{disk.serial !== "" && <Fact name="Serial number of the disk">{disk.serial}</Fact>}
				<Fact name="Written to">{target}</Fact>
				<Fact name="Written">{bytesText(bytesDone)}</Fact>
				<Fact name="Zeros written">{bytesText(zeroedBytes)}</Fact>
				<Fact name="Read back and compared">{bytesText(verifiedBytes)}</Fact>
				<Fact name="Over the network">{bytesText(wireBytes)}</Fact>
				{retries > 0 && <Fact name="Parts done twice">{retries}</Fact>}
				{attempts > 1 && <Fact name="Taken up again">{attempts - 1}</Fact>}
				{durationsOf(write).map(({ name, duration }) => (
					<Fact key={name} name={name}>
						{duration}
					</Fact>
				))}
			</Facts>
			{map !== null && (
				<dl className={classes.sums}>
					<dt>Checksum of all that is written (SHA-256)</dt>
					<dd>{map}</dd>
					<dt>Build of the image</dt>
					<dd>{buildId}</dd>
				</dl>
			)}
		</details>
	);
}

/** How long each stage took that was left again. */
function durationsOf({ times, endedAt }: Write) {
	return times.flatMap(({ stage, at }, index) => {
		const until = times[index + 1]?.at ?? endedAt;
		const isEnd = stage === "complete" || stage === "failed" || stage === "cancelled";
		return isEnd || until === null ? [] : [{ name: writeStages[stage].word, duration: durationText(until - at) }];
	});
}
