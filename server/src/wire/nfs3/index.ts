/** NFS version 3 and MOUNT version 3 (RFC 1813), over a file tree that somebody else provides. */
export { createMount3Program, MOUNT_PROGRAM, MOUNT_V3 } from "./mount3.ts";
export type * from "./port.ts";
export { createNfs3Program, NFS_PROGRAM, NFS_V3 } from "./program.ts";
