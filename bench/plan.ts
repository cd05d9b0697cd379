/** The amount of work of each benchmark. */
import type { Figure } from "./figures.ts";
import type { Fixture } from "./fixture.ts";
import { type MessageType, messageTypes } from "./incoming.ts";

export interface Plan {
  /** Debtors in the table: few, and many. */
  readonly debtorCounts: readonly number[];
  readonly rounds: number;
  /** Whether each is run once before it counts. */
  readonly isWarmedUp: boolean;
  /** Of HTTP load and of pgbench, in each round. */
  readonly seconds: number;
  /** Clients at a time, over HTTP and of pgbench. */
  readonly clients: number;
  /** Of the load on a new database: the first and the last seconds, which are compared, and those between them. */
  readonly coldStart: { readonly edgeSeconds: number; readonly middleSeconds: number };
  /** Messages that are consumed in each round, of each type. */
  readonly consumedMessages: number;
  readonly messageTypes: readonly MessageType[];
  /** Messages that are flushed in each round. */
  readonly flushedMessages: number;
  /** Messages that pass the gateway in each round, in each direction. */
  readonly gatewayMessages: number;
  /** Messages over which the memory of the gateway is watched. */
  readonly gatewayLongMessages: number;
  /** Requests whose latency is measured. */
  readonly timedRequests: number;
}

export const fullPlan: Plan = {
  debtorCounts: [1_000, 1_000_000],
  rounds: 5,
  isWarmedUp: true,
  seconds: 4,
  clients: 32,
  coldStart: { edgeSeconds: 5, middleSeconds: 20 },
  consumedMessages: 30_000,
  messageTypes,
  flushedMessages: 50_000,
  gatewayMessages: 30_000,
  gatewayLongMessages: 1_000_000,
  timedRequests: 400,
};

/** Enough to see that everything works; the figures say nothing. */
export const quickPlan: Plan = {
  debtorCounts: [100],
  rounds: 1,
  isWarmedUp: false,
  seconds: 1,
  clients: 4,
  coldStart: { edgeSeconds: 1, middleSeconds: 1 },
  consumedMessages: 2_000,
  messageTypes: ["PreparedTransfer"],
  flushedMessages: 10_000,
  gatewayMessages: 2_000,
  gatewayLongMessages: 20_000,
  timedRequests: 10,
};

/** The input of a benchmark. */
export interface Bench {
  readonly plan: Plan;
  /** One for each number of debtors. */
  readonly fixtures: readonly Fixture[];
  /** A virtual host with an agent's exchanges and queue. */
  readonly brokerUrl: string;
}

export interface Benchmark {
  readonly name: string;
  readonly run: (bench: Bench) => Promise<Figure[]>;
}
