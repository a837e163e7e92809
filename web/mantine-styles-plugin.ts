/**
 * Gives each page the styles of the Mantine components that it uses, and no others: `import "virtual:mantine-styles"` has
 * what all need, and each component brings its own. Mantine's one file for all would be a sixth of the first page.
 */
import type { Plugin } from "vite";

const name = "virtual:mantine-styles";
const resolved = `\0${name}`;
const common = ["default-css-variables", "baseline", "global"].map((file) => importOf(`styles/${file}`));

/** A component has its class names in a module of their own, named as its file of styles is. */
const classNames = /\/@mantine\/core\/esm\/.*\/(\w+)\.module\.mjs$/;

export function mantineStyles(): Plugin {
	let isBuild = true;
	return {
		name: "mantine-styles",
		configResolved: ({ command }) => {
			isBuild = command === "build";
		},
		resolveId: (id) => (id === name ? resolved : undefined),
		// In development Vite packs the components together beforehand.
		load: (id) => (id === resolved ? (isBuild ? common.join("") : importOf("styles")) : undefined),
		transform: (code, id) => {
			const component = classNames.exec(id)?.[1];
			if (!isBuild || component === undefined) return undefined;
			return { code: importOf(`styles/${component}`) + code, map: null };
		},
	};
}

function importOf(file: string): string {
	return `import "@mantine/core/${file}.css";\n`;
}
