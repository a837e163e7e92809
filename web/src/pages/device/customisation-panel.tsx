/** What this Pi's system gets without a change of its image. */
import { Button, Collapse } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { Device } from "@pi-netboot/api";
import { ask } from "../../api/client.ts";
import { CustomisationForm } from "../../components/customisation-form.tsx";
import { Panel } from "../../components/panel.tsx";

export function CustomisationPanel({ device }: { readonly device: Device }) {
	const { passwordSet, userDataSet, ...rest } = device.customisation;
	const isOwn = passwordSet || userDataSet || Object.keys(rest).length > 0;
	const [isOpen, { toggle }] = useDisclosure(isOwn);
	return (
		<Panel
			title="OS customisation"
			lead="User, keys, password, place. What is not set here comes from the settings for all Pis, or the image."
			actions={
				<Button size="xs" variant="default" onClick={toggle} aria-expanded={isOpen}>
					{isOpen ? "Close" : "Change"}
				</Button>
			}
		>
			<Collapse expanded={isOpen}>
				<CustomisationForm
					now={device.customisation}
					onSave={(customisation) => ask("changeDevice", { params: { id: device.id }, body: { customisation } })}
				/>
			</Collapse>
		</Panel>
	);
}
