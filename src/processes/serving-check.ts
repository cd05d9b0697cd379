/** Whether clients can reach the web server, which is a part of readiness. */
import { connect } from "node:net";

/** What a web server process knows about its port. */
export interface ServingCheck {
  /** Called with the server's URL once it listens. */
  readonly onListening: (url: string) => void;
  /**
   * Why a client gets no answer; `undefined` when it does. A server that listens on all addresses is tried at the address
   * of this machine that was asked, so that one of the other family does not count.
   */
  readonly findProblem: (askedAddress: string) => Promise<string | undefined>;
}

const ALL_ADDRESSES: readonly (string | null)[] = [null, "::", "0.0.0.0"];
const ANSWER_MILLIS_MAX = 1_500;
const HEALTH_CHECK = "GET /debtors/health/check/public HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/** Makes the check for the value of WEBSERVER_HOST. */
export function createServingCheck(host: string | null): ServingCheck {
  let port: number | undefined;
  return {
    onListening: (url) => {
      port = Number(new URL(url).port || 80);
    },
    findProblem: async (askedAddress) => {
      if (port === undefined) return "The web server is not listening yet";
      const address = host === null || ALL_ADDRESSES.includes(host) ? askedAddress : host;
      return (await isAnswering(address, port))
        ? undefined
        : `The web server does not answer on ${address}, port ${port}`;
    },
  };
}

/** A connection is not enough: the system makes it also when the server takes none. */
function isAnswering(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: ANSWER_MILLIS_MAX });
    const finish = (isAnswered: boolean) => (): void => {
      socket.destroy();
      resolve(isAnswered);
    };
    socket.write(HEALTH_CHECK);
    socket
      .once("data", finish(true))
      .once("end", finish(false))
      .once("error", finish(false))
      .once("timeout", finish(false));
  });
}
