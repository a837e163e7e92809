export { Layer, type LayerOptions, type LayerVolume } from "./layer.ts";
