/** What the sandbox's accounting authority receives from and sends to its peer. */
import { OUTGOING_EXCHANGE } from "../../src/broker/agent-topology.ts";
import { publicationOf } from "../../src/gateway/incoming-publication.ts";
import type { GatewayRole } from "../../src/gateway/role.ts";
import { checkForm, checkIds } from "../../src/gateway/validation.ts";
import { RECEIVED_TYPES, SENT_TYPES } from "../../src/messages/relay.ts";

/** The other side of a debtors agent. Its broker has the exchanges to which an agent would publish. */
export const accountingAuthority: GatewayRole = {
  destination: "/exchange/accounts_in",
  checkReceived: (message, subnet) => {
    const checked = checkForm(message, SENT_TYPES);
    checkIds(checked, subnet);
    return checked;
  },
  checkSent: (message, subnet) => {
    const checked = checkForm(message, RECEIVED_TYPES);
    checkIds(checked, subnet);
    return checked;
  },
  publicationOf: (message) => publicationOf(OUTGOING_EXCHANGE, message),
};
