/** How a Pi is told to boot from the network, per model. */
import { Code, List, SegmentedControl, Stack, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Command } from "../../components/command.tsx";
import classes from "./guide.module.css";

interface Way {
	readonly value: string;
	readonly label: string;
	readonly steps: ReactNode;
}

const bootOrder = (
	<>
		<Text size="sm">With an SD card that has Raspberry Pi OS, on the Pi:</Text>
		<Command>sudo raspi-config nonint do_boot_order B3</Command>
		<Text size="sm">
			That is raspi-config, Advanced Options, Boot Order, Network Boot. Shut it down then, and take the card out.
		</Text>
		<Text size="sm">
			Without a system at hand: Raspberry Pi Imager writes a card that does the same, Misc utility images, Bootloader,
			Network Boot. Switch the Pi on with it until its light blinks evenly, and take it out.
		</Text>
	</>
);

const ways: readonly Way[] = [
	{
		value: "pi5",
		label: "5, 500",
		steps: (
			<>
				{bootOrder}
				<Text size="sm">
					A Pi 5 needs a bootloader of 18 October 2023 or later;{" "}
					<Code className={classes.command}>sudo rpi-eeprom-update -a</Code> brings the newest.
				</Text>
			</>
		),
	},
	{
		value: "pi4",
		label: "4, 400",
		steps: (
			<>
				{bootOrder}
				<Text size="sm">
					A Pi 4 needs a bootloader of 16 April 2020 or later;{" "}
					<Code className={classes.command}>sudo rpi-eeprom-update -a</Code> brings the newest.
				</Text>
			</>
		),
	},
	{
		value: "pi3bp",
		label: "3 B+",
		steps: <Text size="sm">Nothing: it boots from the network when there is no SD card in it.</Text>,
	},
	{
		value: "pi3b",
		label: "3 B, 2 v1.2",
		steps: (
			<List type="ordered" size="sm" spacing="xs">
				<List.Item>
					On an SD card with Raspberry Pi OS, add the line <Code>program_usb_boot_mode=1</Code> to{" "}
					<Code>config.txt</Code>.
				</List.Item>
				<List.Item>Boot the Pi from it once, and shut it down. The setting stays in the Pi for ever.</List.Item>
				<List.Item>Take the card out, or the line off the card.</List.Item>
			</List>
		),
	},
	{
		value: "cm",
		label: "CM4, CM5",
		steps: (
			<Text size="sm">
				Its boot order is written by rpiboot from another computer: in usbboot, edit <Code>boot.conf</Code> of the
				folder <Code>recovery</Code> (CM5: <Code>recovery5</Code>) to <Code>BOOT_ORDER=0xf21</Code>, run{" "}
				<Code>update-pieeprom.sh</Code> there, then <Code>rpiboot -d recovery</Code>.
			</Text>
		),
	},
	{
		value: "other",
		label: "Others",
		steps: (
			<Text size="sm">
				A Pi 1 B, 1 B+ or 2 needs an SD card that holds nothing but the file <Code>bootcode.bin</Code>. Models without a
				network socket, like the Zero, the A and the 3 A+, cannot boot from the network, and no Pi can over Wi-Fi.
			</Text>
		),
	},
];

export function EnableNetboot() {
	const [value, setValue] = useState("pi5");
	const way = ways.find((one) => one.value === value);
	return (
		<Stack>
			<SegmentedControl
				aria-label="Your Pi"
				className={classes.models}
				withItemsBorders={false}
				value={value}
				onChange={setValue}
				data={ways.map(({ value: id, label }) => ({ value: id, label }))}
			/>
			<Stack gap="xs">{way?.steps}</Stack>
		</Stack>
	);
}
