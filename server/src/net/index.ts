/** Sockets, interfaces and what the operating system knows about the network. */

export { type AddressHolder, AddressProbe } from "./address-probe.ts";
export { Admission, type AdmissionLimits, type Guest } from "./admission.ts";
export * from "./dhcp-server.ts";
export * from "./interfaces.ts";
export * from "./lan-probe.ts";
export * from "./listen-error.ts";
export { NeighbourKeeper, type Told } from "./neighbour-keeper.ts";
export * from "./neighbours.ts";
export { type PortOwner, type Protocol, portOwner } from "./port-owner.ts";
export { RpcServer, type RpcServerOptions } from "./rpc-server.ts";
export { type RpcbindAddress, type RpcbindRegistration, registerWithRpcbind } from "./rpcbind.ts";
export * from "./tftp-server.ts";
export * from "./udp.ts";
