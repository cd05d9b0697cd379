/** What the gateway counts, for Prometheus. Spec: stomp, "Metrics, logs, stop". */
import { Counter, Gauge, Histogram } from "prom-client";
import type { GatewayMetrics } from "../gateway/metrics.ts";
import type { MetricsRegistry } from "./metrics.ts";

const PREFIX = "swpt_debtors_stomp_";
const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30];

/** Metrics of STOMP server and clients. */
export function createGatewayMetrics(registry: MetricsRegistry): GatewayMetrics {
  const registers = [registry];
  const connections = new Gauge({
    name: `${PREFIX}connections`,
    help: "Open sessions with peers",
    labelNames: ["direction", "peer"],
    registers,
  });
  const unconfirmed = new Gauge({
    name: `${PREFIX}unconfirmed`,
    help: "Messages that are received or sent, and not confirmed",
    labelNames: ["direction", "peer"],
    registers,
  });
  const messages = new Counter({
    name: `${PREFIX}messages_total`,
    help: "Messages, by direction, type and outcome",
    labelNames: ["direction", "type", "outcome"],
    registers,
  });
  const errors = new Counter({
    name: `${PREFIX}errors_total`,
    help: "Sessions that ended with an error, by direction and reason",
    labelNames: ["direction", "reason"],
    registers,
  });
  const confirmSeconds = new Histogram({
    name: `${PREFIX}confirm_seconds`,
    help: "Time until a message is confirmed: by the broker (in) or by the peer (out)",
    labelNames: ["direction"],
    buckets: SECONDS_BUCKETS,
    registers,
  });
  const reconnects = new Counter({
    name: `${PREFIX}reconnects_total`,
    help: "Attempts to connect to a peer again",
    labelNames: ["peer"],
    registers,
  });
  const lastReceipt = new Gauge({
    name: `${PREFIX}last_receipt_timestamp_seconds`,
    help: "When a peer last confirmed a message",
    labelNames: ["peer"],
    registers,
  });
  const expiry = new Gauge({
    name: `${PREFIX}certificate_expiry_timestamp_seconds`,
    help: "When a certificate expires",
    labelNames: ["which"],
    registers,
  });
  return {
    addConnections: (direction, peer, count) => connections.inc({ direction, peer }, count),
    addUnconfirmed: (direction, peer, count) => unconfirmed.inc({ direction, peer }, count),
    forgetReceiver: (peer) => {
      for (const gauge of [connections, unconfirmed]) gauge.remove({ direction: "out", peer });
      lastReceipt.remove({ peer });
    },
    countMessage: (direction, type, outcome) => messages.inc({ direction, type, outcome }),
    countError: (direction, reason) => errors.inc({ direction, reason }),
    observeConfirmation: (direction, seconds) => confirmSeconds.observe({ direction }, seconds),
    countReconnect: (peer) => reconnects.inc({ peer }),
    receiptArrived: (peer) => lastReceipt.set({ peer }, Date.now() / 1000),
    setCertificateExpiry: (which, validTo) => expiry.set({ which }, validTo.getTime() / 1000),
  };
}
