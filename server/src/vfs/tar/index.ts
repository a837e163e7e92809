export { isTar, TarIndexer, type TarOptions, TarTree } from "./tar-tree.ts";
