/** What holds for all Pis, and who may come in here. */
import { Skeleton, Stack } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ask } from "../../api/client.ts";
import { defaultsQuery } from "../../api/queries.ts";
import { Columns } from "../../components/columns.tsx";
import { CustomisationForm } from "../../components/customisation-form.tsx";
import { PageFrame } from "../../components/page-frame.tsx";
import { Panel } from "../../components/panel.tsx";
import { Problem } from "../../components/problem.tsx";
import { AllowedHosts } from "./allowed-hosts.tsx";
import { Audit } from "./audit.tsx";
import { DefaultsForm } from "./defaults-form.tsx";
import { LoginPanel } from "./login-panel.tsx";
import { Tokens } from "./tokens.tsx";

export function SettingsPage() {
	const client = useQueryClient();
	const { data: defaults, error, refetch } = useQuery(defaultsQuery);
	const save = async (body: Parameters<typeof ask<"changeDefaults">>[1]["body"]) => {
		client.setQueryData(defaultsQuery.queryKey, await ask("changeDefaults", { body }));
	};
	return (
		<PageFrame title="Settings" lead="What holds for every Pi that has nothing of its own, and who may come in here.">
			<Problem error={error} title="The settings cannot be shown" onRetry={() => void refetch()} />
			<Columns>
				<Stack>
					{defaults === undefined ? (
						error === null && <Skeleton h={320} aria-busy="true" />
					) : (
						<>
							<Panel title="Roots" lead="What becomes of what the Pis change.">
								<DefaultsForm defaults={defaults} onSave={save} />
							</Panel>
							<Panel title="OS customisation" lead="What every Pi's system gets without a change of its image.">
								<CustomisationForm now={defaults.customisation} onSave={(customisation) => save({ customisation })} />
							</Panel>
						</>
					)}
				</Stack>
				<Stack>
					<LoginPanel />
					<Tokens />
					<AllowedHosts />
					<Audit />
				</Stack>
			</Columns>
		</PageFrame>
	);
}
