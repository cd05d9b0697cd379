/** A fixed word for each text of an `ERROR`, for metrics: the texts themselves hold what others have written. */

const reasons: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^Invalid frame\./, "invalid_frame"],
  [/^The frame header is too big\./, "header_too_big"],
  [/^Invalid header\./, "invalid_header"],
  [/^UTF-8 decode error\./, "not_utf8"],
  [/^Content-length is too large\./, "content_length_too_large"],
  [/^The body is too large\./, "body_too_large"],
  [/^STOMP 1\.2 is not supported/, "unsupported_version"],
  [/^Received invalid heart-beat value\./, "invalid_heart_beat"],
  [/^Received (?:another command|DISCONNECT) before CONNECT/, "not_connected"],
  [/^Received CONNECT command more than once\./, "connected_twice"],
  [/^Received command after DISCONNECT\./, "after_disconnect"],
  [/^Received unexpected command/, "unexpected_command"],
  [/^SEND command without/, "missing_header"],
  [/^Invalid SEND destination/, "invalid_destination"],
  [/^Invalid certificate subject\./, "invalid_subject"],
  [/^Unknown peer serial number\./, "unknown_peer"],
  [/^Too many connections/, "too_many_connections"],
  [/^The peer has been deactivated\./, "peer_deactivated"],
  [/^Internal server error\./, "internal"],
  [/^No data received/, "silence"],
  [/^The connection has been closed by the server\./, "stopping"],
  [/^Unsupported content type/, "content_type"],
  [/^Invalid message type/, "message_type"],
  [/^The message timestamp/, "future_timestamp"],
  [/^Invalid creditor ID/, "creditor_id"],
  [/^Invalid debtor ID/, "debtor_id"],
  [/^Invalid coordinator type/, "coordinator_type"],
  [/^Invalid coordinator ID/, "coordinator_id"],
  [/^Invalid \w+ message\./, "invalid_message"],
  [/^The body has more than/, "body_too_large"],
];

/** The metric label of an error text; `other` for other texts of peers. */
export const errorReason = (text: string): string => reasons.find(([pattern]) => pattern.test(text))?.[1] ?? "other";
