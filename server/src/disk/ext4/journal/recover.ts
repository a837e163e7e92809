import type { ExtVolume } from "../volume.ts";

export function recover(volume: ExtVolume, _fsid: number): { volume: ExtVolume; findings: string[] } {
	return { volume, findings: [] };
}
