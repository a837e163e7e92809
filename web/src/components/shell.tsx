/** What is around every page: the ways to the others, whether the server is there, light or dark. */
import {
	ActionIcon,
	AppShell,
	Burger,
	Group,
	NavLink,
	Text,
	useComputedColorScheme,
	useMantineColorScheme,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { type ComponentType, type KeyboardEvent, lazy, Suspense, useEffect, useRef } from "react";
import { pageFile } from "../api/page-files.ts";
import {
	BoardIcon,
	GuideIcon,
	ImageIcon,
	LogIcon,
	MoonIcon,
	NetworkIcon,
	PhoneIcon,
	SettingsIcon,
	SunIcon,
	WriteIcon,
} from "./icons.tsx";
import { KeptFocus } from "./kept-focus.ts";
import { ServerState } from "./server-state.tsx";
import classes from "./shell.module.css";

interface Place {
	readonly to: "/devices" | "/images" | "/writes" | "/network" | "/logs" | "/settings" | "/guide";
	readonly name: string;
	readonly icon: ComponentType;
}

const places: readonly Place[] = [
	{ to: "/devices", name: "Pis", icon: BoardIcon },
	{ to: "/images", name: "Images", icon: ImageIcon },
	{ to: "/writes", name: "Writes", icon: WriteIcon },
	{ to: "/network", name: "Network", icon: NetworkIcon },
	{ to: "/logs", name: "Log", icon: LogIcon },
	{ to: "/settings", name: "Settings", icon: SettingsIcon },
	{ to: "/guide", name: "Set-up guide", icon: GuideIcon },
];

const PhoneDialog = lazy(pageFile(() => import("./phone-dialog.tsx")));

export function Shell() {
	const [menuOpened, menu] = useDisclosure(false);
	const burger = useRef<HTMLButtonElement>(null);
	const leaveMenu = ({ key }: KeyboardEvent) => {
		if (key !== "Escape" || !menuOpened) return;
		menu.close();
		burger.current?.focus();
	};
	useEffect(() => {
		const focus = new KeptFocus();
		focus.start();
		return () => focus.stop();
	}, []);
	return (
		<AppShell
			header={{ height: 54 }}
			navbar={{ width: 208, breakpoint: "sm", collapsed: { mobile: !menuOpened } }}
			padding={{ base: "sm", sm: "lg" }}
		>
			<a className="skip-link" href="#page">
				To the page
			</a>
			<AppShell.Header className={classes.header}>
				<Group h="100%" px="md" gap="sm" wrap="nowrap">
					<Burger
						ref={burger}
						onKeyDown={leaveMenu}
						opened={menuOpened}
						onClick={menu.toggle}
						hiddenFrom="sm"
						size="sm"
						aria-label={menuOpened ? "Close the menu" : "Open the menu"}
						aria-expanded={menuOpened}
					/>
					<img src="/icon.svg" alt="" width={26} height={26} />
					<Text fw={650} truncate>
						pi-netboot
					</Text>
					<Group ml="auto" gap="xs" wrap="nowrap" flex="none">
						<ServerState />
						<SchemeSwitch />
					</Group>
				</Group>
			</AppShell.Header>
			<AppShell.Navbar
				data-closed={!menuOpened || undefined}
				p="xs"
				className={classes.navbar}
				aria-label="Pages"
				onKeyDown={leaveMenu}
			>
				{places.map((place) => (
					<PlaceLink key={place.to} place={place} onClick={menu.close} />
				))}
				<ToPhone />
			</AppShell.Navbar>
			<AppShell.Main id="page" tabIndex={-1} className={classes.main}>
				<div className={classes.page}>
					<Outlet />
				</div>
			</AppShell.Main>
		</AppShell>
	);
}

function PlaceLink({ place, onClick }: { readonly place: Place; readonly onClick: () => void }) {
	const path = useRouterState({ select: ({ location }) => location.pathname });
	const isHere = path === place.to || path.startsWith(`${place.to}/`);
	const { icon: Icon } = place;
	return (
		<NavLink
			component={Link}
			to={place.to}
			label={place.name}
			leftSection={<Icon />}
			active={isHere}
			aria-current={isHere ? "page" : undefined}
			onClick={onClick}
			className={classes.link}
		/>
	);
}

/** Who has the page on a phone needs no other. */
function ToPhone() {
	const [opened, { open, close }] = useDisclosure(false);
	return (
		<>
			<NavLink
				component="button"
				label="Open on a phone"
				leftSection={<PhoneIcon />}
				onClick={open}
				aria-haspopup="dialog"
				visibleFrom="sm"
				mt="auto"
				className={classes.link}
			/>
			<Suspense>{opened && <PhoneDialog onClose={close} />}</Suspense>
		</>
	);
}

function SchemeSwitch() {
	const { setColorScheme } = useMantineColorScheme();
	const shown = useComputedColorScheme("light", { getInitialValueInEffect: false });
	const other = shown === "dark" ? "light" : "dark";
	return (
		<ActionIcon
			variant="subtle"
			color="gray"
			size="lg"
			onClick={() => setColorScheme(other)}
			aria-label={`Show it ${other}`}
		>
			{shown === "dark" ? <SunIcon /> : <MoonIcon />}
		</ActionIcon>
	);
}
