/** Who the Pi is, and what is in it. */
import { Divider } from "@mantine/core";
import type { Device } from "@pi-netboot/api";
import { useQuery } from "@tanstack/react-query";
import { imagesQuery } from "../../api/queries.ts";
import { Ago } from "../../components/ago.tsx";
import { Fact, Facts } from "../../components/facts.tsx";
import { Panel } from "../../components/panel.tsx";
import { fullModelText, isVirtual } from "../../words/models.ts";
import { Inventory } from "./inventory.tsx";

export function About({ device }: { readonly device: Device }) {
	const { data: images = [] } = useQuery(imagesQuery);
	const { id, mac, ip, bootCount, lastBootAt, boot, imageId, agent } = device;
	const next = images.find((one) => (imageId === null ? one.isDefault : one.id === imageId));
	const image = boot === null ? next : images.find((one) => one.id === boot.imageId);
	return (
		<Panel title="About">
			<Facts>
				<Fact name="Model">{modelOf(device)}</Fact>
				<Fact name={id.length === 8 ? "Serial" : "Id"}>{id}</Fact>
				<Fact name="MAC">{mac ?? "Not known yet"}</Fact>
				<Fact name="Address">{ip ?? "None yet"}</Fact>
				<Fact name="Image">{image?.name ?? boot?.imageId ?? imageId ?? "None yet"}</Fact>
				{image?.id !== next?.id && <Fact name="Next boot">{next?.name ?? imageId ?? "None"}</Fact>}
				<Fact name="Boots">{bootCount}</Fact>
				<Fact name="Last boot">{lastBootAt === null ? "Never" : <Ago at={lastBootAt} />}</Fact>
			</Facts>
			{agent !== null && (
				<>
					<Divider />
					<Inventory agent={agent} address={ip} />
				</>
			)}
		</Panel>
	);
}

function modelOf(device: Device): string {
	const name = fullModelText(device) ?? "Not known yet";
	return isVirtual(device) ? `${name}, a virtual one` : name;
}
