/** The look: calm greys, one raspberry, and contrasts that everybody can read. */
import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

const raspberry: MantineColorsTuple = [
	"#fdeef3",
	"#f8d9e3",
	"#efb0c5",
	"#e684a5",
	"#de5f8a",
	"#d94778",
	"#c9265f",
	"#b3154a",
	"#991040",
	"#7f0a33",
];

const slate: MantineColorsTuple = [
	"#d5d9de",
	"#b9bfc7",
	"#9aa2ad",
	"#6b7480",
	"#4a525d",
	"#363d47",
	"#2a3038",
	"#1d2127",
	"#15181d",
	"#0f1115",
];

const colors = ["raspberry", "green", "yellow", "red", "blue", "gray", "orange"] as const;

export const theme = createTheme({
	primaryColor: "raspberry",
	primaryShade: { light: 7, dark: 6 },
	colors: { raspberry, dark: slate },
	defaultRadius: "md",
	cursorType: "pointer",
	fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
	fontFamilyMonospace: "ui-monospace, 'SF Mono', Menlo, Consolas, monospace",
	headings: { fontWeight: "650" },
	respectReducedMotion: true,
	components: {
		// In its landmark, and with nothing in it but its items.
		Menu: { defaultProps: { withinPortal: false, withInitialFocusPlaceholder: false } },
		// What a field offers is in the landmark of the page, too, but not cut off at the side of a box.
		Combobox: { defaultProps: { portalProps: { target: "#page" } } },
		// Its eye is left out of the order of the keyboard otherwise.
		PasswordInput: {
			defaultProps: { visibilityToggleButtonProps: { "aria-label": "Show what is typed", tabIndex: 0 } },
		},
	},
});

/** White on a red button. */
const danger = {
	"--mantine-color-red-filled": "var(--mantine-color-red-9)",
	"--mantine-color-red-filled-hover": "#b02525",
};

/** Text on a tint of its own colour, and quiet text, at 4.5 to 1 or better (WCAG 1.4.3). */
export const cssVariables: CSSVariablesResolver = () => ({
	variables: {},
	light: {
		"--mantine-color-dimmed": "#545d69",
		"--mantine-color-placeholder": "#6a7380",
		"--mantine-color-error": "var(--mantine-color-red-9)",
		"--mantine-color-anchor": "var(--mantine-color-raspberry-7)",
		"--page": "#f5f6f8",
		"--line": "#e1e4e9",
		"--track": "#dfe3e8",
		"--ring": "var(--mantine-color-raspberry-7)",
		...danger,
		...tints((color) => `var(--mantine-color-${color}-9)`),
		"--mantine-color-yellow-light-color": "#7a4a00",
		"--mantine-color-orange-light-color": "#8f3a00",
		"--mantine-color-green-light-color": "#1b6b2b",
		"--mantine-color-red-light-color": "#a61e1e",
		"--mantine-color-raspberry-light-color": "var(--mantine-color-raspberry-8)",
	},
	dark: {
		"--mantine-color-dimmed": "#a3acb8",
		"--mantine-color-placeholder": "#8b949f",
		"--mantine-color-error": "var(--mantine-color-red-4)",
		"--mantine-color-anchor": "var(--mantine-color-raspberry-3)",
		"--page": "#0f1115",
		"--line": "#2a3038",
		"--track": "#363d47",
		"--ring": "var(--mantine-color-raspberry-3)",
		...danger,
		...tints((color) => `var(--mantine-color-${color}-2)`),
	},
});

function tints(shade: (color: string) => string): Record<string, string> {
	return Object.fromEntries(colors.map((color) => [`--mantine-color-${color}-light-color`, shade(color)]));
}
