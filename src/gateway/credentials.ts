/** The node's own certificate and key, kept up to date while the processes run. Spec: stomp, "TLS", rotation and expiry. */
import type { X509Certificate } from "node:crypto";
import { NodeDataError } from "../node-data/node-data-error.ts";
import { type Peer, readServerIdentity, type ServerIdentity } from "../node-data/read.ts";
import type { Logger } from "../runtime/log.ts";
import type { TlsCredentials } from "../stomp/tls-credentials.ts";
import type { GatewayMetrics } from "./metrics.ts";
import type { NodeDirectory } from "./node-directory.ts";

export interface CredentialsOptions {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly nodes: NodeDirectory;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
}

/** What this node shows its peers. */
export interface Credentials {
  /** For accepting connections: our certificate, and our own root to check theirs. */
  forServer(): TlsCredentials;
  /** For connecting to a peer: this node's certificate, the certificate that the peer has issued to it, and the peer's root. */
  forClient(peer: Peer): TlsCredentials;
  /** Reads the files again, and uses what is new and right. */
  refresh(): Promise<void>;
  /** Calls back whenever something has changed; returns how to end that. */
  onChange(listener: () => void): () => void;
}

const DAY_MILLIS = 86_400_000;
const WARNING_DAYS = 30;
const ERROR_DAYS = 7;

/** Reads certificate, key and root. Rejects with a NodeDataError when they are not there or do not fit. */
export async function openCredentials(options: CredentialsOptions): Promise<Credentials> {
  const { certificateFile, keyFile, nodes, metrics, log } = options;
  let current = await read();
  let lastProblem: string | undefined;
  const listeners = new Set<() => void>();
  const lastWarnedAt = new Map<string, number>();
  if (current.identity.isKeyWorldReadable) log.warn({ file: keyFile }, "The key is readable by other users");
  if (!isIssuedBy(current.identity.certificate, current.root)) {
    log.error({ file: certificateFile }, "The server certificate is not issued by the root of this node");
  }
  watchExpiry("server", current.identity.certificate);
  watchExpiry("root", current.root);

  async function read(): Promise<{ readonly identity: ServerIdentity; readonly root: X509Certificate }> {
    const identity = await readServerIdentity(certificateFile, keyFile);
    return { identity, root: (await nodes.node()).rootCertificate };
  }

  function watchExpiry(which: "server" | "root" | "sub_ca", certificate: X509Certificate): void {
    const validTo = certificate.validToDate;
    metrics.setCertificateExpiry(which, validTo);
    const days = (validTo.getTime() - Date.now()) / DAY_MILLIS;
    const isWarnedToday = performance.now() - (lastWarnedAt.get(which) ?? Number.NEGATIVE_INFINITY) < DAY_MILLIS;
    if (days > WARNING_DAYS || isWarnedToday) return;
    lastWarnedAt.set(which, performance.now());
    const fields = { which, validTo: validTo.toISOString(), days: Math.floor(days) };
    if (days < 0) log.error(fields, "A certificate has expired");
    else if (days <= ERROR_DAYS) log.error(fields, "A certificate expires soon");
    else log.warn(fields, "A certificate expires soon");
  }

  return {
    forServer: () => ({
      certificate: current.identity.certificatePem,
      key: current.identity.keyPem,
      root: current.root.toString(),
    }),
    forClient: (peer) => {
      watchExpiry("sub_ca", peer.subCaCertificate);
      return {
        certificate: `${current.identity.certificatePem.trimEnd()}\n${peer.subCaCertificate.toString()}`,
        key: current.identity.keyPem,
        root: peer.rootCertificate.toString(),
      };
    },
    refresh: async () => {
      try {
        const files = await read();
        lastProblem = undefined;
        const isNew = !isSame(files, current);
        if (isNew && !isIssuedBy(files.identity.certificate, files.root)) {
          throw new NodeDataError(`${certificateFile}: not issued by the root of this node.`);
        }
        current = files;
        watchExpiry("server", current.identity.certificate);
        watchExpiry("root", current.root);
        if (isNew) {
          const { serialNumber, validToDate } = current.identity.certificate;
          log.info({ serialNumber, validTo: validToDate.toISOString() }, "Using a new certificate for new connections");
        }
        if (isNew) for (const listener of listeners) listener();
      } catch (error) {
        if (!(error instanceof NodeDataError)) throw error;
        if (error.message !== lastProblem) log.error({ reason: error.message }, "The changed certificate is not used");
        lastProblem = error.message;
      }
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const isIssuedBy = (certificate: X509Certificate, root: X509Certificate): boolean =>
  certificate.checkIssued(root) && certificate.verify(root.publicKey);

interface Pair {
  readonly identity: ServerIdentity;
  readonly root: X509Certificate;
}

const isSame = (one: Pair, other: Pair): boolean =>
  one.identity.certificatePem === other.identity.certificatePem &&
  one.identity.keyPem === other.identity.keyPem &&
  one.root.fingerprint256 === other.root.fingerprint256;
