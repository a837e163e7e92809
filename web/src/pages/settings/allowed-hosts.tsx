/** The names that this page may be opened by. */
import { Stack, TagsInput, Text } from "@mantine/core";
import type { AllowedHosts as Hosts } from "@pi-netboot/api";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ask } from "../../api/client.ts";
import { allowedHostsQuery } from "../../api/queries.ts";
import { Panel } from "../../components/panel.tsx";
import { Problem } from "../../components/problem.tsx";
import { SaveBar } from "../../components/save-bar.tsx";
import { useSavedDraft } from "../../hooks/use-saved-draft.ts";
import { listText } from "../../words/models.ts";

export function AllowedHosts() {
	const { data, error } = useQuery(allowedHostsQuery);
	return (
		<Panel
			title="Names of this server"
			lead="Its addresses always work. Under a name that is not known here the page is refused, so that no other site can lead a browser to it."
		>
			<Problem error={error} title="The names cannot be shown" />
			{data !== undefined && <HostsForm known={data} />}
		</Panel>
	);
}

function HostsForm({ known }: { readonly known: Hosts }) {
	const client = useQueryClient();
	const { shown, set, discard, overtaken, save, submit } = useSavedDraft({ hosts: known.hosts }, async ({ hosts }) => {
		client.setQueryData(allowedHostsQuery.queryKey, await ask("setAllowedHosts", { body: { hosts } }));
	});
	const always = [...known.own, ...known.given];
	return (
		<form onSubmit={submit}>
			<Stack>
				{always.length > 0 && <Text size="sm">It is called {listText(always)} anyway.</Text>}
				<TagsInput
					label="Further names"
					description="Like netboot.example.org; Enter ends each"
					value={shown.hosts}
					onChange={(hosts) => set({ hosts })}
				/>
				<SaveBar
					isChanged={shown.hosts.join() !== known.hosts.join()}
					save={save}
					overtaken={overtaken.length > 0 ? ["names"] : []}
					onDiscard={discard}
				/>
			</Stack>
		</form>
	);
}
