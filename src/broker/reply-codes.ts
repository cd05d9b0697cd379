/** Codes with which RabbitMQ closes a channel or a connection. Spec of AMQP 0-9-1: "Reply codes". */
export const NOT_FOUND = 404;
export const PRECONDITION_FAILED = 406;
export const NOT_IMPLEMENTED = 540;

/** The code of an error of amqplib; that of the system when there was no reply. */
export const replyCodeOf = (error: unknown): unknown => (error as { code?: unknown }).code;
