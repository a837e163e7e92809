/** A text that a camera can read. */
import encode from "qr";

/** Squares of white around it, without which cameras do not find it. */
const BORDER = 4;

interface QrCodeProps {
	readonly text: string;
	/** What it is, for who cannot see it. */
	readonly label: string;
	/** Pixels. */
	readonly size: number;
}

export function QrCode({ text, label, size }: QrCodeProps) {
	const rows = encode(text, "raw", { border: BORDER });
	const dark = rows.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
	return (
		<svg width={size} height={size} viewBox={`0 0 ${rows.length} ${rows.length}`} role="img" aria-label={label}>
			{/* Dark on light in both schemes: many cameras read nothing else. */}
			<rect width="100%" height="100%" fill="#fff" />
			<path d={dark.join("")} fill="#000" shapeRendering="crispEdges" />
		</svg>
	);
}
