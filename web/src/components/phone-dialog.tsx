/** Takes the page that is shown to a phone: next to the Pis it is a phone that people have. */
import { Center, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { ask } from "../api/client.ts";
import { sessionQuery } from "../api/queries.ts";
import { phoneLink } from "../words/phone.ts";
import { Command } from "./command.tsx";
import { Dialog } from "./dialog.tsx";
import { Problem } from "./problem.tsx";
import { QrCode } from "./qr-code.tsx";

/** Milliseconds; a link works for 15 minutes. */
const RENEWAL = 10 * 60_000;

export default function PhoneDialog({ onClose }: { readonly onClose: () => void }) {
	return (
		<Dialog opened onClose={onClose} title="Open this page on a phone">
			<PhoneLink />
		</Dialog>
	);
}

function PhoneLink() {
	const { data: session } = useQuery(sessionQuery);
	// One for each time that somebody wants it: it works once, and not for as long as a dialog may be open.
	const { data, error, refetch } = useQuery({
		queryKey: ["phone-link"],
		queryFn: () => ask("createLoginCode", {}),
		staleTime: Number.POSITIVE_INFINITY,
		refetchInterval: RENEWAL,
		gcTime: 0,
		retry: false,
	});
	if (error !== null) return <Problem error={error} title="There is no link now" onRetry={() => void refetch()} />;
	if (data === undefined || session === undefined) return <Skeleton h={240} aria-busy="true" />;
	const isOpen = session.who === "everybody";
	const { origin, pathname } = window.location;
	const link = phoneLink({ origin, path: pathname }, data.server, isOpen ? undefined : data.code);
	if (link === undefined) {
		return (
			<Text size="sm">
				No phone reaches this server: it answers on its own machine alone. Start it with HTTP_HOST=0.0.0.0, on a machine
				that has an address in your network.
			</Text>
		);
	}
	return (
		<Stack>
			<Text size="sm">
				Point its camera at this; the phone has to be in the same network.
				{!isOpen && " It logs in once, within 15 minutes, so show it to nobody else."}
			</Text>
			<Center>
				<QrCode text={link} label="The link as a QR code" size={232} />
			</Center>
			<Command>{link}</Command>
		</Stack>
	);
}
