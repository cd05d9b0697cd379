/** Frames as they are on the wire between two nodes of this program. */

export const STOMP = "STOMP\naccept-version:1.2\nhost:/\nheart-beat:5000,30000\n\n\0";
export const CONNECTED = "CONNECTED\nversion:1.2\nheart-beat:5000,30000\n\n\0";
export const receiptFrame = (id: number | string): string => `RECEIPT\nreceipt-id:${id}\n\n\0`;
export const errorFrame = (text: string): string => `ERROR\nmessage:${text}\n\n\0`;
