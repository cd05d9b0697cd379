/** What the gateway counts. */

/** Of the traffic: `in` is what this node receives. */
export type Direction = "in" | "out";

/** The outcomes of messages. */
export type MessageOutcome = "confirmed" | "refused" | "ignored" | "dead_lettered";

/** Spec: stomp, "Metrics, logs, stop". */
export interface GatewayMetrics {
  /** So many more or, when negative, fewer. */
  addConnections(direction: Direction, peer: string, count: number): void;
  addUnconfirmed(direction: Direction, peer: string, count: number): void;
  /** Nothing is sent to the peer any more. */
  forgetReceiver(peer: string): void;
  countMessage(direction: Direction, type: string, outcome: MessageOutcome): void;
  countError(direction: Direction, reason: string): void;
  observeConfirmation(direction: Direction, seconds: number): void;
  countReconnect(peer: string): void;
  /** A receipt has come just now. */
  receiptArrived(peer: string): void;
  setCertificateExpiry(which: "server" | "root" | "sub_ca", validTo: Date): void;
}

/** Metrics that are not collected. */
export const noMetrics: GatewayMetrics = {
  addConnections: () => {},
  addUnconfirmed: () => {},
  forgetReceiver: () => {},
  countMessage: () => {},
  countError: () => {},
  observeConfirmation: () => {},
  countReconnect: () => {},
  receiptArrived: () => {},
  setCertificateExpiry: () => {},
};
