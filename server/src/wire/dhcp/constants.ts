/** The numbers of RFC 2131, 2132 and 4578 that this server speaks, under the names which the standards give them. */

export const BOOTREQUEST = 1;
export const BOOTREPLY = 2;

/** RFC 2132 section 9.6. */
export const MessageType = {
	DISCOVER: 1,
	OFFER: 2,
	REQUEST: 3,
	DECLINE: 4,
	ACK: 5,
	NAK: 6,
	RELEASE: 7,
	INFORM: 8,
} as const;

export const OptionCode = {
	PAD: 0,
	SUBNET_MASK: 1,
	ROUTER: 3,
	DOMAIN_NAME_SERVER: 6,
	HOST_NAME: 12,
	BROADCAST_ADDRESS: 28,
	VENDOR_SPECIFIC: 43,
	REQUESTED_IP_ADDRESS: 50,
	LEASE_TIME: 51,
	OVERLOAD: 52,
	MESSAGE_TYPE: 53,
	SERVER_IDENTIFIER: 54,
	PARAMETER_REQUEST_LIST: 55,
	MESSAGE: 56,
	MAXIMUM_MESSAGE_SIZE: 57,
	RENEWAL_TIME: 58,
	REBINDING_TIME: 59,
	VENDOR_CLASS: 60,
	CLIENT_IDENTIFIER: 61,
	TFTP_SERVER_NAME: 66,
	USER_CLASS: 77,
	/** RFC 3046: what a relay adds and wants back. */
	RELAY_AGENT_INFORMATION: 82,
	CLIENT_SYSTEM_ARCHITECTURE: 93,
	CLIENT_NETWORK_INTERFACE: 94,
	CLIENT_MACHINE_IDENTIFIER: 97,
	/** Etherboot's own options, sent by iPXE in every request. */
	ETHERBOOT: 175,
	END: 255,
} as const;

/** The most significant bit of `flags`: "reply by broadcast". */
export const FLAG_BROADCAST = 0x8000;

/** What Ethernet is in `htype`. */
export const HTYPE_ETHERNET = 1;
