/**
 * Nodes for the tests: ours, made by the product; and an accounting authority whose files come from `openssl`, in the
 * shape in which the shell scripts of other nodes make them.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createNode } from "../../src/node-data/create-node.ts";
import { openIssuer } from "../../src/node-data/keys.ts";
import { type NodeData, readNodeData } from "../../src/node-data/read.ts";
import { writeZip } from "../../src/node-data/zip.ts";
import { openssl } from "../support/openssl.ts";

/** A folder that is removed at the end. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  /** The path of a file within. */
  file(name: string): string;
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-node-data-"));
  return {
    path: folder,
    file: (name) => path.join(folder, name),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

export const PASSPHRASE = "correct horse battery";

/** A new debtors agent (or, with an ID, accounting authority) in the folder. */
export async function makeNode(folder: string, authorityId?: string): Promise<NodeData> {
  await createNode({ directory: folder, server: "stomp.example.com:1234", passphrase: PASSPHRASE, authorityId });
  return readNodeData(folder);
}

export const openTestIssuer = (node: NodeData) => openIssuer(node.directory, PASSPHRASE);

/** A node whose files are made by `openssl`. */
export interface OpensslNode {
  readonly folder: string;
  readonly nodeId: string;
  readonly nodeType: string;
}

const ROOT_EXTENSIONS = `basicConstraints = critical,CA:true,pathlen:1
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash`;

interface OpensslNodeOptions {
  /** Needed for an accounting authority; an agent gets that of its key. */
  readonly nodeId?: string;
  readonly nodeType?: string;
}

/** Makes the key, the root certificate and the request of a node. */
export function makeOpensslNode(folder: string, options: OpensslNodeOptions = {}): OpensslNode {
  const nodeType = options.nodeType ?? "Accounting Authorities";
  mkdirSync(folder, { recursive: true });
  const run = (...args: string[]): string => openssl(args, { cwd: folder });
  run("genrsa", "-out", "root-ca.key", "2048");
  run("rsa", "-in", "root-ca.key", "-pubout", "-outform", "DER", "-out", "root-ca.pub");
  const digest = openssl(["dgst", "-sha256", "-r", "root-ca.pub"], { cwd: folder });
  const nodeId = options.nodeId ?? (nodeType === "Accounting Authorities" ? "1234abcd" : digest.slice(0, 32));
  writeFileSync(
    path.join(folder, "openssl.cnf"),
    `[req]\nprompt = no\nutf8 = yes\nstring_mask = utf8only\ndistinguished_name = dn\n[dn]
organizationName = "Swaptacular Nodes Registry"\norganizationalUnitName = "${nodeType}"\nserialNumber = "${nodeId}"
[root]\n${ROOT_EXTENSIONS}\n`,
  );
  run("req", "-new", "-config", "openssl.cnf", "-key", "root-ca.key", "-out", "root-ca.csr");
  const x509 = ["-new", "-x509", "-config", "openssl.cnf", "-extensions", "root", "-days", "365000", "-text"];
  run("req", ...x509, "-key", "root-ca.key", "-out", "root-ca.crt");
  return { folder, nodeId, nodeType };
}

/** The files that can be replaced in a bundle of an OpenSSL node, by their names in it. */
type Members = Readonly<Record<string, Buffer>>;

const STOMP_TOML = 'servers = ["authority.example.com:1234"]\nhost = "/"\ndestination = "/exchange/accounts_in"\n';

/** The bundle of such a node, with these files in its `nodeinfo`; `replaced` are put in at the end. */
export function makeBundle(
  node: OpensslNode,
  nodeInfo: Readonly<Record<string, string>> = {},
  replaced: Members = {},
): Buffer {
  const files = { "stomp.toml": STOMP_TOML, "updated-at.txt": "2026-01-31\n", ...nodeInfo };
  const nodeInfoZip = writeZip(new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)])));
  return makeBundleOf(node, nodeInfoZip, replaced);
}

/** The same with a given nodeinfo.zip, which is signed. */
export function makeBundleOf(node: OpensslNode, nodeInfoZip: Buffer, replaced: Members = {}): Buffer {
  const file = (name: string): string => path.join(node.folder, name);
  writeFileSync(file("nodeinfo.zip"), nodeInfoZip);
  openssl(["dgst", "-sha256", "-sign", file("root-ca.key"), "-out", file("nodeinfo.signature"), file("nodeinfo.zip")]);
  const names = ["root-ca.crt", "root-ca.csr", "nodeinfo.zip", "nodeinfo.signature"];
  const members = Object.fromEntries(names.map((name) => [name, readFileSync(file(name))]));
  return writeZip(new Map(Object.entries({ ...members, ...replaced })));
}

/** What an authority's certificate for a peer says; what is left out is as it must be. */
export interface PeerCertificateOptions {
  readonly days?: number;
  /** The whole comment; null for none. */
  readonly comment?: string | null;
  /** The request of another node. */
  readonly requestFile?: string;
  readonly isAuthority?: boolean;
  /** The node that the name constraints permit; null for none. */
  readonly permitted?: { readonly nodeType: string; readonly nodeId: string } | null;
}

/** Lets an OpenSSL node issue the sub-CA certificate for one of our nodes; the path of the file. */
export function issuePeerCertificate(
  issuer: OpensslNode,
  peer: NodeData,
  file: string,
  options: PeerCertificateOptions = {},
): string {
  const { days = 365_000, comment = `Subnet: ${issuer.nodeId}00`, isAuthority = true, permitted = peer } = options;
  const lines = [
    "authorityKeyIdentifier = keyid:always",
    isAuthority ? "basicConstraints = critical,CA:true,pathlen:0" : "basicConstraints = critical,CA:false",
    "extendedKeyUsage = clientAuth,serverAuth",
    "keyUsage = critical,keyCertSign,cRLSign",
    "subjectKeyIdentifier = hash",
    ...(permitted === null ? [] : ["nameConstraints = critical,permitted;dirName:permitted"]),
    ...(comment === null ? [] : [`nsComment = "${comment}"`]),
    "[permitted]",
    'organizationName = "Swaptacular Nodes Registry"',
    `organizationalUnitName = "${permitted?.nodeType}"`,
    `serialNumber = "${permitted?.nodeId}"`,
  ];
  const extensionsFile = `${file}.cnf`;
  writeFileSync(extensionsFile, `${lines.join("\n")}\n`);
  const request = options.requestFile ?? path.join(peer.directory, "db/root-ca.csr");
  const authority = [
    "-CA",
    "root-ca.crt",
    "-CAkey",
    "root-ca.key",
    "-set_serial",
    "0x4a4cac5fd596554138c85d307cbc0be2",
  ];
  const args = ["x509", "-req", "-in", request, ...authority, "-days", String(days), "-text"];
  openssl([...args, "-extfile", extensionsFile, "-out", file], { cwd: issuer.folder });
  return file;
}
