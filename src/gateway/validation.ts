/** Which messages may pass between this node and its peer. Spec: stomp, "Validation". */
import { InvalidMessageError } from "../messages/fields.ts";
import { RECEIVED_TYPES, type RelayedMessage, type RelayedType, relayMessage, SENT_TYPES } from "../messages/relay.ts";
import { isInSubnet, type Subnet } from "../node-data/subnet.ts";
import { BODY_BYTES_MAX } from "../stomp/frames.ts";
import { toUnsigned } from "../values/int64.ts";

/** A message as it has come, from the peer or from the broker. */
export interface UncheckedMessage {
  readonly contentType: string | undefined;
  readonly type: string | undefined;
  readonly body: Buffer;
}

/** The message may not pass. The text is sent to peers and part of the contract. */
export class RefusedMessageError extends Error {
  override readonly name = "RefusedMessageError";
  /** Whose message it is, when that is known. */
  readonly debtorId: bigint | undefined;

  constructor(message: string, { debtorId, cause }: { debtorId?: bigint; cause?: unknown } = {}) {
    super(message, { cause });
    this.debtorId = debtorId;
  }
}

/** How far the clock of a peer may be ahead, in microseconds. */
const FUTURE_MICROS_MAX = 7_200_000_000n;
const MICROS_PER_SECOND = 1_000_000n;
const COORDINATOR_TYPE = "issuing";

/** Checks what the peer has sent. Throws RefusedMessageError. `now` is in microseconds since 1970-01-01 UTC. */
export function checkReceived(message: UncheckedMessage, subnet: Subnet, now: bigint): RelayedMessage {
  const checked = checkForm(message, RECEIVED_TYPES);
  const ahead = checked.ts - now;
  if (ahead > FUTURE_MICROS_MAX) {
    const seconds = (ahead + MICROS_PER_SECOND / 2n) / MICROS_PER_SECOND;
    throw new RefusedMessageError(`The message timestamp is ${seconds} seconds in the future.`, checked);
  }
  checkIds(checked, subnet);
  checkCoordinator(checked);
  return checked;
}

/** Checks what is to be sent to the peer. Throws RefusedMessageError. */
export function checkSent(message: UncheckedMessage, subnet: Subnet): RelayedMessage {
  const checked = checkForm(message, SENT_TYPES);
  checkIds(checked, subnet);
  if (checked.type === "PrepareTransfer") checkCoordinator(checked);
  if (Buffer.byteLength(checked.body) > BODY_BYTES_MAX) {
    throw new RefusedMessageError(`The body has more than ${BODY_BYTES_MAX} bytes.`, checked);
  }
  return checked;
}

/** Checks the content type, the type and the fields of a message. Throws RefusedMessageError. */
export function checkForm(
  { contentType, type, body }: UncheckedMessage,
  types: readonly RelayedType[],
): RelayedMessage {
  if (contentType !== "application/json") {
    throw new RefusedMessageError(`Unsupported content type: ${contentType ?? "application/octet-stream"}.`);
  }
  const known = types.find((candidate) => candidate === type);
  if (known === undefined) throw new RefusedMessageError(`Invalid message type: ${type ?? "none"}.`);
  try {
    return relayMessage(known, body);
  } catch (cause) {
    if (!(cause instanceof InvalidMessageError)) throw cause;
    throw new RefusedMessageError(`Invalid ${known} message.`, { cause });
  }
}

/** Checks whose account it is about. Throws RefusedMessageError. */
export function checkIds({ creditorId, debtorId }: RelayedMessage, subnet: Subnet): void {
  if (creditorId !== 0n) throw new RefusedMessageError(`Invalid creditor ID: ${formatId(creditorId)}.`, { debtorId });
  if (!isInSubnet(subnet, debtorId))
    throw new RefusedMessageError(`Invalid debtor ID: ${formatId(debtorId)}.`, { debtorId });
}

function checkCoordinator({ coordinatorType, coordinatorId, debtorId }: RelayedMessage): void {
  if (coordinatorType !== undefined && coordinatorType !== COORDINATOR_TYPE) {
    throw new RefusedMessageError(`Invalid coordinator type: ${coordinatorType}.`, { debtorId });
  }
  if (coordinatorId !== undefined && coordinatorId !== debtorId) {
    throw new RefusedMessageError("Invalid coordinator ID.", { debtorId });
  }
}

/** `0x` and 16 hexadecimal digits, as the logs and the peers' programs show an ID. */
export const formatId = (id: bigint): string => `0x${toUnsigned(id).toString(16).padStart(16, "0")}`;
