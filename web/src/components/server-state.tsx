/** One light for the whole server: there, not there, or something of it does not run. */
import { Anchor, Badge, Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { Away, isLoginOver } from "../api/failures.ts";
import { healthQuery, sessionQuery } from "../api/queries.ts";
import { useLive, useLiveState } from "./live-context.ts";
import { LogInAgain } from "./log-in-again.tsx";

export function ServerState() {
	const live = useLive();
	const state = useLiveState();
	const { data: health, error: unwell } = useQuery(healthQuery);
	const { error } = useQuery(sessionQuery);
	useEffect(() => {
		if (unwell instanceof Away) live.doubt();
	}, [unwell, live]);
	return <div role="status">{shown()}</div>;

	function shown() {
		if (isLoginOver(error)) return <LogInAgain />;
		if (state === "away") {
			return (
				<Badge color="red" variant="light" leftSection={<Loader size={10} color="red" />}>
					Server away
				</Badge>
			);
		}
		if (state === "connecting")
			return (
				<Badge color="gray" variant="light">
					Connecting
				</Badge>
			);
		if (health?.status === "degraded") {
			return (
				<Anchor component={Link} to="/network" underline="never">
					<Badge color="yellow" variant="light" style={{ cursor: "pointer" }}>
						Needs attention
					</Badge>
				</Anchor>
			);
		}
		return (
			<Badge color="green" variant="light">
				Live
			</Badge>
		);
	}
}
