export { HostFolder } from "./host-folder.ts";
export { HostTree } from "./host-tree.ts";
export { scanInWorker } from "./scan-worker.ts";
