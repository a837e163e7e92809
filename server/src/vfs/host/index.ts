export { HostFolder } from "./host-folder.ts";
export { HostTree, type HostTreeOptions } from "./host-tree.ts";
export { scanInWorker } from "./scan-worker.ts";
