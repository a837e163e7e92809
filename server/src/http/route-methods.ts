/** Which methods each path takes: a method that it does not take is told the right ones. */
interface Registered {
	readonly method: string | readonly string[];
	readonly url: string;
}

interface Known {
	readonly methods: readonly string[];
	readonly pattern: RegExp;
}

export class RouteMethods {
	readonly #known: Known[] = [];

	/** Takes note of a route. The page's own addresses, which are every path, say nothing of any. */
	add({ method, url }: Registered): void {
		if (!url.includes("*")) this.#known.push({ methods: [method].flat(), pattern: patternOf(url) });
	}

	/** Those that this path takes, in the order of the alphabet; none where there is nothing. */
	of(path: string): string[] {
		const fitting = this.#known.filter(({ pattern }) => pattern.test(path));
		return [...new Set(fitting.flatMap(({ methods }) => methods))].sort();
	}
}

/** `/api/v1/devices/:id` fits what has anything but a slash in place of `:id`. */
function patternOf(url: string): RegExp {
	const parts = url.split(/:\w+/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
	return new RegExp(`^${parts.join("[^/]+")}$`);
}
