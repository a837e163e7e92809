/** What stage of a boot a request speaks of. The same MAC address asks again, by another program, at each stage. */
import { classify } from "./classify.ts";
import { OptionCode } from "./constants.ts";
import { type DhcpPacket, textOption } from "./packet.ts";

/**
 * `firmware`: the Pi's own. `kernel`: Linux's `ip=dhcp`. `initramfs`: klibc's ipconfig. `uefi`, `u-boot`, `ipxe`: other boot
 * programs, on a Pi or not. `userland`: an operating system that runs. `unknown`: none of these.
 */
export type Speaker = "firmware" | "kernel" | "initramfs" | "uefi" | "u-boot" | "ipxe" | "userland" | "unknown";

/** `ic_req_params` of Linux, net/ipv4/ipconfig.c; since 4.18 there is 42 behind it. */
const KERNEL_REQUEST_LIST = "1,3,6,12,15,17,26,40";

/** Tells who speaks. Never throws. */
export function speakerOf(packet: DhcpPacket): Speaker {
	if (classify(packet).kind === "pi") return "firmware";
	const vendor = textOption(packet, OptionCode.VENDOR_CLASS) ?? "";
	if (packet.options.has(OptionCode.ETHERBOOT) || textOption(packet, OptionCode.USER_CLASS)?.includes("iPXE")) {
		return "ipxe";
	}
	if (vendor.startsWith("U-Boot")) return "u-boot";
	if (vendor.startsWith("HTTPClient") || /^PXEClient:Arch:(?!00000)/.test(vendor)) return "uefi";
	if (vendor === "Linux ipconfig") return "initramfs";
	return isKernel(packet) ? "kernel" : userlandOrUnknown(packet);
}

function isKernel(packet: DhcpPacket): boolean {
	const list = packet.options.get(OptionCode.PARAMETER_REQUEST_LIST)?.join(",");
	return list === KERNEL_REQUEST_LIST || list === `${KERNEL_REQUEST_LIST},42`;
}

function userlandOrUnknown(packet: DhcpPacket): Speaker {
	return packet.options.has(OptionCode.CLIENT_IDENTIFIER) || packet.options.has(OptionCode.HOST_NAME)
		? "userland"
		: "unknown";
}
