/** The Pi's own root: what it changed of the image, kept under names, dropped, brought back. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { Device, RootChange } from "@pi-netboot/api";
import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { ask } from "../../api/client.ts";
import { rootQuery } from "../../api/queries.ts";
import { Confirm } from "../../components/confirm.tsx";
import { Fact, Facts } from "../../components/facts.tsx";
import { Panel } from "../../components/panel.tsx";
import { Problem } from "../../components/problem.tsx";
import { bytesText } from "../../words/bytes.ts";
import { whyNoRoot } from "../../words/roots.ts";
import { rootModes } from "../../words/stages.ts";
import classes from "./device.module.css";
import { Snapshots } from "./snapshots.tsx";

export function RootPanel({ device }: { readonly device: Device }) {
	const { data: root, error, refetch } = useQuery(rootQuery(device.id));
	const [isOpen, { toggle }] = useDisclosure(false);
	const none = root && whyNoRoot(device, root);
	return (
		<Panel title="Root" lead={rootModes[device.rootMode].meaning}>
			<Stack>
				<Problem error={error} title="The root cannot be shown" onRetry={() => void refetch()} />
				<Facts>
					<Fact name="On the server's disk">{bytesText(root?.bytes ?? device.rootBytes)}</Fact>
					<Fact name="At most">{root?.quotaBytes ? bytesText(root.quotaBytes) : "No limit"}</Fact>
				</Facts>
				{none === undefined ? (
					<Group gap="xs">
						<Button size="xs" variant="default" onClick={toggle} aria-expanded={isOpen}>
							{isOpen ? "Hide the changes" : "Show the changes"}
						</Button>
						<ResetButton device={device} />
					</Group>
				) : (
					<Text size="sm">{none}</Text>
				)}
				{isOpen && none === undefined && <Changes id={device.id} />}
				{root !== undefined && <Snapshots device={device} root={root} />}
			</Stack>
		</Panel>
	);
}

function ResetButton({ device }: { readonly device: Device }) {
	const [asking, { open, close }] = useDisclosure(false);
	const reset = useMutation({
		mutationFn: () => ask("resetRoot", { params: { id: device.id } }),
		onSuccess: close,
	});
	return (
		<>
			<Button size="xs" variant="default" onClick={open}>
				Reset
			</Button>
			<Text size="sm" role="status">
				{reset.isSuccess && "It is dropped at the next boot."}
			</Text>
			<Confirm
				opened={asking}
				title={`Reset the root of ${device.name}?`}
				action="Reset at the next boot"
				order={reset}
				onConfirm={() => reset.mutate()}
				onClose={close}
			>
				What the Pi changed of its image is dropped when it boots the next time. Snapshots stay.
			</Confirm>
		</>
	);
}

const kinds: Readonly<Record<RootChange["kind"], string>> = { added: "+", changed: "~", removed: "-" };

function Changes({ id }: { readonly id: string }) {
	const { data, error, hasNextPage, fetchNextPage, isFetching } = useInfiniteQuery({
		queryKey: ["changes", id],
		initialPageParam: "",
		queryFn: ({ pageParam, signal }) =>
			ask("listRootChanges", { params: { id }, query: pageParam === "" ? {} : { after: pageParam } }, signal),
		getNextPageParam: ({ next }) => next,
	});
	const pages = data?.pages ?? [];
	const first = pages[0];
	if (error !== null) return <Problem error={error} title="The changes cannot be shown" />;
	if (first === undefined) return <Text size="sm">Comparing with the image…</Text>;
	return (
		<Stack gap="xs">
			<Text size="sm">
				{first.total === 0
					? "Nothing was changed."
					: `${first.total === 1 ? "1 change" : `${first.total} changes`}, ${bytesText(first.bytes)}`}
			</Text>
			{first.total > 0 && (
				<ul className={classes.paths} aria-label="Changes">
					{pages
						.flatMap(({ changes }) => changes)
						.map(({ path, kind, bytes, type }) => (
							<li key={path}>
								<span role="img" aria-label={kind}>
									{kinds[kind]}
								</span>{" "}
								{path} {type === "file" && <span className={classes.quiet}>{bytesText(bytes)}</span>}
							</li>
						))}
				</ul>
			)}
			{hasNextPage && (
				<Button size="xs" variant="default" w="fit-content" loading={isFetching} onClick={() => void fetchNextPage()}>
					More
				</Button>
			)}
		</Stack>
	);
}
