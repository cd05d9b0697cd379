/** Whether clients can reach the web server, which is a part of readiness. */
import { connect } from "node:net";

/** What a web server process knows about its port. */
export interface ServingCheck {
  /** Called with the server's URL once it listens. */
  readonly onListening: (url: string) => void;
  /**
   * Why a client cannot connect; `undefined` when it can. A server that listens on all addresses is tried at the address
   * of this machine that was asked, so that one of the other family does not count.
   */
  readonly findProblem: (askedAddress: string) => Promise<string | undefined>;
}

const ALL_ADDRESSES: readonly (string | null)[] = [null, "::", "0.0.0.0"];
const CONNECT_MILLIS_MAX = 1_000;

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
      return (await canConnect(address, port))
        ? undefined
        : `The web server does not answer on ${address}, port ${port}`;
    },
  };
}

function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_MILLIS_MAX });
    const finish = (isConnected: boolean) => (): void => {
      socket.destroy();
      resolve(isConnected);
    };
    socket.once("connect", finish(true)).once("error", finish(false)).once("timeout", finish(false));
  });
}
