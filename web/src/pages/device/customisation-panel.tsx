/** What this Pi's system gets without a change of its image. */
import type { Device } from "@pi-netboot/api";
import { ask } from "../../api/client.ts";
import { CustomisationForm } from "../../components/customisation-form.tsx";
import { Panel } from "../../components/panel.tsx";

export function CustomisationPanel({ device }: { readonly device: Device }) {
	return (
		<Panel
			title="Its system"
			lead="For this Pi alone, from the next boot on. What is empty comes from the settings or the image."
		>
			<CustomisationForm
				now={device.customisation}
				onSave={(customisation) => ask("changeDevice", { params: { id: device.id }, body: { customisation } })}
			/>
		</Panel>
	);
}
