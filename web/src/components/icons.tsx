/** The page's icons: strokes on a grid of 24, drawn with the text's colour, silent for screen readers. */
import type { ReactNode } from "react";

function drawn(path: ReactNode) {
	return function Icon({ size = 18 }: { readonly size?: number }) {
		return (
			<svg
				width={`${size / 16}rem`}
				height={`${size / 16}rem`}
				viewBox="0 0 24 24"
				fill="none"
				stroke="currentColor"
				strokeWidth={1.9}
				strokeLinecap="round"
				strokeLinejoin="round"
				aria-hidden="true"
				focusable="false"
			>
				{path}
			</svg>
		);
	};
}

export const BoardIcon = drawn(
	<>
		<rect x="3" y="6" width="18" height="12" rx="2" />
		<path d="M7 10h4v4H7zM15 9v6M18 9v6" />
	</>,
);
export const ImageIcon = drawn(
	<>
		<circle cx="12" cy="12" r="9" />
		<circle cx="12" cy="12" r="2.5" />
		<path d="M12 6a6 6 0 0 1 6 6" />
	</>,
);
export const WriteIcon = drawn(<path d="M12 3v11m0 0-4-4m4 4 4-4M5 17v2a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2v-2" />);
export const NetworkIcon = drawn(<path d="M9 3h6v5H9zM3 16h6v5H3zM15 16h6v5h-6zM12 8v4M6 16v-4h12v4" />);
export const PhoneIcon = drawn(
	<path d="M8 3h8a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM11 18h2" />,
);
export const LogIcon = drawn(<path d="M5 6h14M5 10h9M5 14h14M5 18h6" />);
export const SettingsIcon = drawn(
	<>
		<path d="M4 7h9M19 7h1M4 17h3M13 17h7" />
		<circle cx="16" cy="7" r="2.5" />
		<circle cx="10" cy="17" r="2.5" />
	</>,
);
export const GuideIcon = drawn(
	<>
		<circle cx="12" cy="12" r="9" />
		<path d="M9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M12 16.8v.2" />
	</>,
);
export const SearchIcon = drawn(
	<>
		<circle cx="11" cy="11" r="6.5" />
		<path d="m16 16 4.5 4.5" />
	</>,
);
export const AlertIcon = drawn(<path d="M12 4 2.8 19.5h18.4zM12 10v4.5M12 17v.2" />);
export const CheckIcon = drawn(<path d="m5 12.5 4.5 4.5L19 7.5" />);
export const DotsIcon = drawn(<path strokeWidth="3.2" d="M12 5.5v.01M12 12v.01M12 18.5v.01" />);
export const SunIcon = drawn(
	<>
		<circle cx="12" cy="12" r="4" />
		<path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4" />
	</>,
);
export const MoonIcon = drawn(<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z" />);
export const UploadIcon = drawn(<path d="M12 15V4m0 0L8 8m4-4 4 4M5 15v3a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2v-3" />);
export const BackIcon = drawn(<path d="M15 5 8 12l7 7" />);
export const CopyIcon = drawn(
	<>
		<rect x="8" y="8" width="12" height="12" rx="2" />
		<path d="M16 8V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h2" />
	</>,
);
export const CardsIcon = drawn(<path d="M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z" />);
export const RowsIcon = drawn(<path d="M4 6h16M4 12h16M4 18h16" />);
export const DownloadIcon = drawn(<path d="M12 4v11m0 0 4-4m-4 4-4-4M4 20h16" />);
export const InfoIcon = drawn(
	<>
		<circle cx="12" cy="12" r="9" />
		<path d="M12 11v5.5M12 7.6v.2" />
	</>,
);
