/** What can be done with a Pi at once. */
import { Button, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { Device } from "@pi-netboot/api";
import { useMutation } from "@tanstack/react-query";
import { ask } from "../../api/client.ts";
import { Confirm } from "../../components/confirm.tsx";
import { WriteDialog } from "../../components/write-dialog.tsx";
import { isVirtual } from "../../words/models.ts";

/** Of the sentence that says why a button can not be pressed. */
const WHY = "why-not";

export function DeviceActions({ device }: { readonly device: Device }) {
	const [rebooting, reboot] = useDisclosure(false);
	const [writing, write] = useDisclosure(false);
	const order = useMutation({
		mutationFn: () => ask("rebootDevice", { params: { id: device.id } }),
		onSuccess: reboot.close,
	});
	const canBeTold = device.agent?.online === true;
	return (
		<>
			<Button
				variant="default"
				onClick={reboot.open}
				disabled={!canBeTold}
				aria-describedby={canBeTold ? undefined : WHY}
			>
				Reboot
			</Button>
			<Button
				onClick={write.open}
				disabled={device.agent === null}
				aria-describedby={device.agent === null ? WHY : undefined}
			>
				Write to disk
			</Button>
			<Confirm
				opened={rebooting}
				title={`Reboot ${device.name}?`}
				action="Reboot"
				order={order}
				onConfirm={() => order.mutate()}
				onClose={reboot.close}
			>
				What runs on it is ended.
			</Confirm>
			<WriteDialog device={device} opened={writing} onClose={write.close} />
		</>
	);
}

/** Why what can be done with other Pis cannot be done with this one now. */
export function WhyNot({ device }: { readonly device: Device }) {
	const reason = whyNot(device);
	if (reason === undefined) return null;
	return (
		<Text size="sm" c="dimmed" id={WHY}>
			{reason}
		</Text>
	);
}

function whyNot(device: Device): string | undefined {
	if (device.agent?.online === true) return undefined;
	if (device.agent !== null) return "It is not heard now, so it cannot be rebooted from here.";
	if (isVirtual(device))
		return "A virtual Pi boots as far as a login. It has no disk to write, and nothing that could reboot it.";
	return "It can be rebooted and written from here once it has booted and said what is in it.";
}
