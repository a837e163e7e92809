/** ONC-RPC (RFC 5531, XDR of RFC 4506) and the port mapper (RFC 1833): codecs and state machines, no sockets. */
export { BufferPool, type PooledBuffer } from "./buffer-pool.ts";
export {
	AUTH_OK,
	AUTH_SYS,
	AUTH_TOOWEAK,
	RpcCall,
	type RpcCaller,
} from "./message.ts";
export {
	createPortmapProgram,
	decodePortmapReply,
	encodePortmapCall,
	IPPROTO_TCP,
	IPPROTO_UDP,
	isLoopback,
	PMAP_PORT,
	PMAPPROC_DUMP,
	PMAPPROC_GETPORT,
	PMAPPROC_SET,
	PMAPPROC_UNSET,
	type PortMapping,
	readMappings,
} from "./portmap.ts";
export { maxRecordBytes, RecordReader } from "./record.ts";
export { type RpcFinish, type RpcProcedure, type RpcProgram, RpcService } from "./service.ts";
export { RpcStream, type StreamTransport } from "./stream.ts";
export { XdrError, XdrReader } from "./xdr-reader.ts";
export { XdrWriter } from "./xdr-writer.ts";
