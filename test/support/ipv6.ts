import { networkInterfaces } from "node:os";

/** Whether this machine has the IPv6 loopback address. */
export const hasIpv6 = (): boolean =>
  Object.values(networkInterfaces())
    .flat()
    .some((found) => found?.address === "::1");
