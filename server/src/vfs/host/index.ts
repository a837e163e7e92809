export { HostTree, type HostTreeOptions } from "./host-tree.ts";
