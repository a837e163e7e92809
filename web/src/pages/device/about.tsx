/** Who the Pi is. */
import type { Device } from "@pi-netboot/api";
import { useQuery } from "@tanstack/react-query";
import { imagesQuery } from "../../api/queries.ts";
import { Ago } from "../../components/ago.tsx";
import { Fact, Facts } from "../../components/facts.tsx";
import { Panel } from "../../components/panel.tsx";
import { modelText } from "../../words/models.ts";

export function About({ device }: { readonly device: Device }) {
	const { data: images = [] } = useQuery(imagesQuery);
	const { id, mac, ip, model, modelName, bootCount, lastBootAt, imageId } = device;
	const image = images.find((one) => (imageId === null ? one.isDefault : one.id === imageId));
	return (
		<Panel title="About">
			<Facts>
				<Fact name="Model">{modelName ?? (model === null ? "Not known yet" : modelText(model))}</Fact>
				<Fact name={id.length === 8 ? "Serial" : "Id"}>{id}</Fact>
				<Fact name="MAC">{mac ?? "Not known yet"}</Fact>
				<Fact name="Address">{ip ?? "None yet"}</Fact>
				<Fact name="Image">{image?.name ?? imageId ?? "None yet"}</Fact>
				<Fact name="Boots">{bootCount}</Fact>
				<Fact name="Last boot">{lastBootAt === null ? "Never" : <Ago at={lastBootAt} />}</Fact>
			</Facts>
		</Panel>
	);
}
