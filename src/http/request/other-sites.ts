/** What pages of other sites may do by way of a browser. */
import type { IncomingHttpHeaders } from "node:http";
import { forbidden, HttpError } from "../response/errors.ts";

const LOOPBACK_HOST = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/;

/**
 * Throws an HttpError for a request that a page of another site has a browser send to this machine, be it under a name of its
 * own that resolves to it (DNS rebinding). With `enableCors` other servers of this machine may have such pages.
 */
export function rejectOtherSites({ host = "", origin }: IncomingHttpHeaders, enableCors: boolean): void {
  if (!LOOPBACK_HOST.test(host)) throw new HttpError(421, "This is not the name of this server.");
  if (origin === undefined) return;
  const from = origin.replace(/^https?:\/\//, "");
  if (from !== host && !(enableCors && LOOPBACK_HOST.test(from)))
    throw forbidden("The request comes from another site.");
}
