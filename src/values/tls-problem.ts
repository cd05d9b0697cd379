/** What went wrong between this program and a server that speaks TLS, in the words of an operator. */

/** What the parameters of a connection URL are called that name the files, and where the host name is. */
export interface TlsParameterNames {
  /** The certificates of authorities. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
  readonly keyPassword: string;
}

/**
 * What is wrong, and which parameter to check. `undefined` when the error says nothing of TLS. Codes and alerts are those of
 * Node.js and OpenSSL.
 */
export function describeTlsProblem(error: unknown, names: TlsParameterNames): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  const alert = /\balert ([a-z ]+?)(?::|$)/.exec(error.message)?.[1];
  if (alert !== undefined) return describeAlert(alert, names);
  switch (code) {
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "CERT_SIGNATURE_FAILURE":
    case "INVALID_CA":
      return `the server's certificate is not signed by a known authority (${withoutHint(error.message)}): check ${names.authority}`;
    case "CERT_HAS_EXPIRED":
      return "the server's certificate has expired: renew it on the server";
    case "CERT_NOT_YET_VALID":
      return "the server's certificate is not valid yet: check the clocks of both machines";
    case "CERT_REVOKED":
      return "the server's certificate is revoked: renew it on the server";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return describeWrongHost(error as WrongHostError);
    case "ERR_OSSL_X509_KEY_VALUES_MISMATCH":
      return `${names.certificate} and ${names.key} do not belong together`;
    case "ERR_OSSL_BAD_DECRYPT":
      return `${names.key} cannot be decrypted: check ${names.keyPassword}`;
    case "ERR_OSSL_PEM_NO_START_LINE":
    case "ERR_OSSL_UNSUPPORTED":
      return `a file is not of the form PEM: check ${names.certificate} and ${names.key}`;
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
      return "the server does not speak TLS on this port";
    case "ECONNRESET":
      return /before secure TLS connection/.test(error.message)
        ? "the server closed the connection during the TLS handshake: check that it speaks TLS on this port"
        : undefined;
    default:
      return undefined;
  }
}

/** Node.js adds an option of its own, which does not reach the program. */
const withoutHint = (message: string): string => message.replace(/; if the root CA is installed locally.*/, "");

interface WrongHostError extends Error {
  readonly host?: string;
  readonly cert?: { readonly subjectaltname?: string };
}

const describeWrongHost = ({ host, cert, message }: WrongHostError): string =>
  host === undefined
    ? message
    : `the server's certificate is for ${cert?.subjectaltname ?? "no host"}, and not for ${host}: use a name of the certificate`;

/** What the server says of our side of the handshake. */
function describeAlert(alert: string, { certificate, key }: TlsParameterNames): string {
  switch (alert) {
    case "certificate required":
      return `the server requires a client certificate: set ${certificate} and ${key}`;
    case "certificate expired":
      return `the client certificate has expired: renew ${certificate}`;
    case "unknown ca":
      return `the server does not know the authority that has signed the client certificate: check ${certificate}`;
    case "handshake failure":
      return `the server rejects the TLS handshake: it may require a client certificate (${certificate} and ${key}), or other versions of TLS`;
    case "protocol version":
      return "the server does not speak this version of TLS";
    default:
      return `the server rejects the TLS handshake (${alert}): check ${certificate}`;
  }
}
