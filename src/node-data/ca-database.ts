/** The records of issued certificates, in the files of `openssl ca`, so that the scripts can continue with them. */
import { randomBytes, type X509Certificate } from "node:crypto";
import path from "node:path";
import { makeFolder, writeFileAtomically } from "./atomic-writes.ts";
import { readCertificateParts } from "./certificate-reader.ts";
import { formatTime } from "./der.ts";
import { fileExists, readOptional } from "./files.ts";
import { parseSubject } from "./subject.ts";

/** Records a certificate that was issued: a copy in `certs`, then a line in `db/index`. Call it under the lock. */
export async function recordCertificate(directory: string, certificate: X509Certificate): Promise<void> {
  await prepareDatabase(directory);
  await writeFileAtomically(path.join(directory, `certs/${certificate.serialNumber}.pem`), certificate.toString());
  const file = path.join(directory, "db/index");
  const { subject } = readCertificateParts(certificate, "the certificate");
  const { nodeType, nodeId } = parseSubject(subject)!;
  const name = `/O=Swaptacular Nodes Registry/OU=${nodeType}/serialNumber=${nodeId}`;
  const fields = ["V", formatTime(certificate.validToDate), "", certificate.serialNumber, "unknown", name];
  await writeFileAtomically(file, `${(await readOptional(file)) ?? ""}${fields.join("\t")}\n`);
}

/** Creates the files that are missing. The scripts take their next serial number from `db/serial`; ours are random. */
async function prepareDatabase(directory: string): Promise<void> {
  await makeFolder(path.join(directory, "certs"));
  const contents = {
    "db/index": "",
    "db/index.attr": "unique_subject = no\n",
    "db/serial": `7${randomBytes(16).toString("hex").slice(1)}\n`,
    "db/crlnumber": "1001\n",
  };
  for (const [name, content] of Object.entries(contents)) {
    const file = path.join(directory, name);
    if (!(await fileExists(file))) await writeFileAtomically(file, content);
  }
}
