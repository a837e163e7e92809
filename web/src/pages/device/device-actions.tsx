/** What can be done with a Pi at once. */
import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { Device } from "@pi-netboot/api";
import { useMutation } from "@tanstack/react-query";
import { ask } from "../../api/client.ts";
import { Confirm } from "../../components/confirm.tsx";
import { WriteDialog } from "../../components/write-dialog.tsx";

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
				title={canBeTold ? undefined : "Once the program on the Pi is heard"}
			>
				Reboot
			</Button>
			<Button
				onClick={write.open}
				disabled={device.agent === null}
				title={device.agent === null ? "Once the Pi has booted and said which disks it has" : undefined}
			>
				Write to disk
			</Button>
			<Confirm
				opened={rebooting}
				title={`Reboot ${device.name}?`}
				action="Reboot"
				pending={order.isPending}
				error={order.error}
				onConfirm={() => order.mutate()}
				onClose={reboot.close}
			>
				What runs on it is ended.
			</Confirm>
			<WriteDialog device={device} opened={writing} onClose={write.close} />
		</>
	);
}
