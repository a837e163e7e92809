/** What the page is told live. */
import type { Bystander, DeviceEvent } from "../devices/index.ts";
import type { Logging } from "../log-setup.ts";
import { showBystander } from "./device-history.ts";
import type { DeviceAnswers } from "./device-service.ts";
import { type ImageEventSources, publishImages } from "./image-events.ts";
import { Collected, guarded } from "./telling.ts";

export interface EventSources extends ImageEventSources {
	readonly devices: DeviceAnswers;
	readonly logging: Logging;
}

/** Passes on what happens, until the function that it gives is called. */
export function publishEvents(sources: EventSources): () => void {
	const { hub, registry, devices, logging, log } = sources;
	const showDevice = guarded(log, ({ device, id, formerId }: DeviceEvent) => {
		const former = formerId === undefined ? {} : { formerId };
		hub.publish({ type: "device", data: { id, ...former, device: devices.show(device) } });
	});
	const loseDevice = ({ id }: { readonly id: string }) => hub.publish({ type: "device", data: { id } });
	const tellOther = (one: Bystander) => hub.publish({ type: "bystander", data: showBystander(one) });
	const others = new Collected<Bystander>(guarded(log, tellOther));
	const showOther = (bystander: Bystander) => others.add(bystander.mac, bystander);
	registry.on("device", showDevice).on("removed", loseDevice).on("bystander", showOther);
	const endImages = publishImages(sources);
	const endLog = logging.subscribe((line) => hub.publish({ type: "log", data: line }));
	return () => {
		endLog();
		endImages();
		others.stop();
		registry.off("device", showDevice).off("removed", loseDevice).off("bystander", showOther);
	};
}
