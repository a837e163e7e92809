export type { LayerChange, Place } from "./changes.ts";
export { hostSpace } from "./host-space.ts";
export { Layer, type LayerOptions, type LayerVolume } from "./layer.ts";
export { dropLayer, restoreLayer } from "./layer-files.ts";
export { layerBytes } from "./usage.ts";
