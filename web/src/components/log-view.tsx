/** Lines of the log, which stays at its end until somebody scrolls up to read. */
import { Anchor, Box, Text } from "@mantine/core";
import type { LogLine } from "@pi-netboot/api";
import { Link } from "@tanstack/react-router";
import { memo, useLayoutEffect, useRef } from "react";
import { clockText, dateTimeText } from "../words/time.ts";
import { AlertIcon } from "./icons.tsx";
import classes from "./log-view.module.css";

interface LogViewProps {
	readonly lines: readonly LogLine[];
	/** Of the devices by id; without them the lines do not say whom they are about. */
	readonly names?: ReadonlyMap<string, string>;
	/** As CSS has it. */
	readonly height: string;
	/** Whether it may be lower, where there is little to show. */
	readonly fits?: boolean;
}

/** What is painted at most: nobody reads further up, and the download has it all. */
const MOST_SHOWN = 500;

/** Pixels from the end that still count as being there. */
const NEAR = 40;

export function LogView({ lines, names, height, fits = false }: LogViewProps) {
	const box = useRef<HTMLDivElement>(null);
	const follows = useRef(true);
	const shown = lines.slice(-MOST_SHOWN);
	useLayoutEffect(() => {
		const element = box.current;
		if (element !== null && follows.current) element.scrollTop = element.scrollHeight;
	});
	const look = () => {
		const element = box.current;
		if (element !== null) follows.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
	};
	return (
		<Box
			className={classes.box}
			ref={box}
			onScroll={look}
			{...(fits ? { mah: height } : { h: height })}
			role="log"
			aria-label="Log"
			// Read out as they come, the lines of a herd that boots would drown everything.
			aria-live="off"
			tabIndex={0}
		>
			{shown.length === 0 && (
				<Text size="sm" c="dimmed" p="md">
					No line fits.
				</Text>
			)}
			{shown.map((line) => (
				<Line key={line.id} line={line} name={line.device && names?.get(line.device)} />
			))}
		</Box>
	);
}

const Line = memo(function Line({ line, name }: { readonly line: LogLine; readonly name: string | undefined }) {
	const { time, level, service, device, message } = line;
	// Most lines begin with it.
	const rest = name !== undefined && message.startsWith(`${name} `) ? message.slice(name.length + 1) : message;
	return (
		<div className={classes.line} data-level={level}>
			<time className={classes.time} dateTime={new Date(time).toISOString()} title={dateTimeText(time)}>
				{clockText(time)}
			</time>
			<span className={classes.service}>{service}</span>
			<span className={classes.message}>
				{(level === "warn" || level === "error") && (
					<span className={classes.mark} role="img" aria-label={level === "error" ? "Error" : "Warning"}>
						<AlertIcon size={14} />
					</span>
				)}
				{name !== undefined && device !== undefined && (
					<>
						<Anchor component={Link} to={`/devices/${device}`} inherit underline="always">
							{name}
						</Anchor>{" "}
					</>
				)}
				{rest}
			</span>
		</div>
	);
});
