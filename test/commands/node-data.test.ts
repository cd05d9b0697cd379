import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { readNodeData } from "../../src/node-data/read.ts";
import { issuePeerCertificate, makeBundle, makeOpensslNode, PASSPHRASE, temporaryFolder } from "../node-data/nodes.ts";
import { runCommand } from "../support/command.ts";
import { openssl } from "../support/openssl.ts";

const folder = await temporaryFolder();
after(() => folder[Symbol.asyncDispose]());
const directory = folder.file("node");
const authority = makeOpensslNode(folder.file("authority"));
writeFileSync(folder.file("passphrase"), `${PASSPHRASE}\nsecond line\n`);
const outputs: string[] = [];

/** Runs a command of `node_data` on the directory, with the pass phrase in the environment. */
async function nodeData(args: readonly string[], environment: Readonly<Record<string, string | undefined>> = {}) {
  const outcome = await runCommand(["node_data", ...args], {
    SWPT_NODEDATA_URL: `file://${directory}`,
    NODE_DATA_PASSPHRASE: PASSPHRASE,
    ...environment,
  });
  outputs.push(outcome.output);
  return outcome;
}

/** It ends with 1 after one line, which matches. */
async function assertRejected(outcome: ReturnType<typeof nodeData>, line: RegExp): Promise<void> {
  const { code, output } = await outcome;
  assert.match(output, line);
  assert.equal(output.trimEnd().split("\n").length, 1, output);
  assert.equal(code, 1);
}

test("a node joins: every step in its order, with what its peer sends", async () => {
  const created = await nodeData(
    ["init", "--server", "stomp.example.com:1234", "--passphrase-file", folder.file("passphrase")],
    {
      NODE_DATA_PASSPHRASE: "another one",
    },
  );
  assert.match(created.output, /^Created the node [0-9a-f]{32} \(Debtors Agents\) in /);
  assert.equal(created.code, 0);
  const node = await readNodeData(directory);

  const text = openssl(["x509", "-in", path.join(directory, "root-ca.crt"), "-noout", "-text"]);
  assert.match(
    text,
    new RegExp(`Subject: O ?= ?Swaptacular Nodes Registry, OU ?= ?Debtors Agents, serialNumber ?= ?${node.nodeId}`),
  );
  assert.equal(statSync(path.join(directory, "private")).mode & 0o777, 0o700);
  assert.equal(statSync(path.join(directory, "private/root-ca.key")).mode & 0o777, 0o600);

  assert.equal((await nodeData(["server_certificate", "--days", "90"])).code, 0);
  assert.equal((await nodeData(["infobundle", folder.file("own.zip")])).code, 0);

  writeFileSync(folder.file("authority.zip"), makeBundle(authority));
  await nodeData(["sign_peer", folder.file("authority.zip")]).then(({ code, output }) => {
    const fingerprint = openssl(["x509", "-in", "root-ca.crt", "-noout", "-fingerprint", "-sha256"], {
      cwd: authority.folder,
    });
    assert.match(output, /^Node ID: +1234abcd/);
    assert.ok(output.includes(fingerprint.trim().split("=")[1]!), output);
    assert.match(output, /There is no terminal to ask; use --yes\.\n$/);
    assert.equal(code, 1);
  });
  assert.ok(!existsSync(path.join(directory, "peers/1234abcd")));
  assert.match(
    (await nodeData(["sign_peer", "--yes", folder.file("authority.zip")])).output,
    /^Created .*peers\/1234abcd\/peercert\.crt/m,
  );
  assert.match(
    (await nodeData(["sign_peer", folder.file("authority.zip")])).output,
    /is a peer already\. Its node information has been updated/,
  );

  const certificate = issuePeerCertificate(authority, node, folder.file("peercert.crt"));
  const registered = await nodeData(["register_peer", certificate]);
  assert.match(registered.output, /^The peer 1234abcd is registered\.\n.*1311862288428302336 to 1311862288445079551/);
  assert.match((await nodeData(["register_peer", certificate])).output, /was registered already/);
});

test("info tells what the node is, as text and as JSON", async () => {
  const { standardOutput, code } = await nodeData(["info"]);
  assert.equal(code, 0);
  assert.match(
    standardOutput,
    /Debtor IDs +1311862288428302336 to 1311862288445079551\n +0x1234abcd00000000 to 0x1234abcd00ffffff\n/,
  );
  assert.match(standardOutput, /\n\nPeer 1234abcd\n +Type +Accounting Authorities\n +State +inactive\n/);
  const description = JSON.parse((await nodeData(["info", "--json"])).standardOutput);
  assert.equal(description.subnet.minDebtorId, "1311862288428302336");
  assert.deepEqual(
    description.peers.map(({ nodeId, state }: Record<string, string>) => [nodeId, state]),
    [["1234abcd", "inactive"]],
  );
});

test("verify finds nothing, and then one line for each problem", async () => {
  const realm = { MIN_DEBTOR_ID: "0x1234abcd00000000", MAX_DEBTOR_ID: "0x1234abcd00ffffff" };
  assert.deepEqual((await nodeData(["verify"], realm)).code, 0);
  await assertRejected(
    nodeData(["verify"], { ...realm, MAX_DEBTOR_ID: "0x1234abcd01000000" }),
    /does not contain MIN_DEBTOR_ID\.\.MAX_DEBTOR_ID/,
  );
  const elsewhere = {
    SWPT_SERVER_CERT: path.join(authority.folder, "root-ca.crt"),
    SWPT_SERVER_KEY: path.join(authority.folder, "root-ca.key"),
  };
  const { code, output } = await nodeData(["verify"], elsewhere);
  assert.equal(code, 1);
  assert.match(output, /authority\/root-ca\.crt: is not signed by the root of this node\.\n/);
});

test("init again changes nothing", async () => {
  await assertRejected(
    nodeData(["init", "--server", "a:1"]),
    /root-ca\.crt: already exists; nothing has been changed\.$/m,
  );
});

test("a wrong pass phrase, and none, are told in one line, and no file is left", async () => {
  const before = readdirSync(directory, { recursive: true }).length;
  const wrong = { NODE_DATA_PASSPHRASE: "not the pass phrase" };
  await assertRejected(nodeData(["infobundle", folder.file("none.zip")], wrong), /root-ca\.key: wrong pass phrase\.$/m);
  const args = ["server_certificate", "--out", folder.file("none.crt"), "--key", folder.file("none.key")];
  await assertRejected(nodeData(args, wrong), /wrong pass phrase/);
  await assertRejected(nodeData(args, { NODE_DATA_PASSPHRASE: undefined }), /no terminal to ask for the pass phrase/);
  await assertRejected(
    nodeData([...args, "--passphrase-file", folder.file("missing")]),
    /missing: cannot be used \(open: ENOENT\)/,
  );
  await assertRejected(
    nodeData(["init", "--server", "a:1", "--dir", folder.file("short")], { NODE_DATA_PASSPHRASE: "1234567" }),
    /too short; expected at least 8/,
  );
  for (const name of ["none.zip", "none.crt", "none.key", "short"]) assert.ok(!existsSync(folder.file(name)), name);
  assert.equal(readdirSync(directory, { recursive: true }).length, before);
});

test("an authority for trials can be made, and so can a directory that is named by an option", async () => {
  const created = await nodeData([
    "init",
    "--server",
    "[::1]:5001",
    "--authority",
    "abcdef01",
    "--dir",
    folder.file("trial"),
  ]);
  assert.match(created.output, /^Created the node abcdef01 \(Accounting Authorities\)/);
  assert.match((await nodeData(["info", "--dir", folder.file("trial")])).output, /Node ID +abcdef01\n/);
});

test("what is wrong on the command line is told with exit code 2", async () => {
  for (const [args, line] of [
    [[], /^node_data is followed by one of: init, info, /],
    [["init"], /^--server: expected an address/],
    [["init", "--server", "a:0"], /^--server: expected an address/],
    [["init", "--server", "a:1", "--authority", "1234ABCD"], /^--authority: expected 8 lower-case/],
    [["server_certificate", "--days", "0"], /^--days: expected an integer from 1 to 365000/],
    [["server_certificate", "--days", "1e3"], /^--days: expected an integer/],
    [["server_certificate", "--csr", "a", "--key", "b"], /^--csr and --key exclude each other/],
    [["sign_peer"], /^node_data sign_peer needs BUNDLE/],
    [["deactivate_peer", "a", "b"], /^node_data deactivate_peer needs ID/],
  ] as const) {
    const { code, output } = await nodeData(args);
    assert.match(output, line);
    assert.equal(code, 2, args.join(" "));
  }
});

test("files that are missing, broken or too large are told in one line", async () => {
  writeFileSync(folder.file("large.zip"), Buffer.alloc(5 * 2 ** 20 + 1));
  await assertRejected(
    nodeData(["sign_peer", folder.file("large.zip")]),
    /large\.zip: is larger than 5242880 bytes\.$/m,
  );
  await assertRejected(nodeData(["sign_peer", folder.file("missing.zip")]), /missing\.zip: does not exist\.$/m);
  await assertRejected(nodeData(["sign_peer", folder.path]), /cannot be read \(EISDIR\)\.$/m);
  await assertRejected(nodeData(["register_peer", folder.file("passphrase")]), /expected one certificate, found 0\.$/m);
  await assertRejected(nodeData(["info", "--dir", folder.file("nowhere")]), /root-ca\.crt: does not exist\.$/m);
  await assertRejected(
    nodeData(["infobundle", folder.file("no/folder/b.zip")]),
    /no\/folder\/b\.zip: cannot be written \(ENOENT\)\.$/m,
  );
});

test("a peer is deactivated only after a yes", async () => {
  await assertRejected(
    nodeData(["deactivate_peer", "1234abcd"]),
    /cannot be undone\. There is no terminal to ask; use --yes\.$/m,
  );
  await assertRejected(nodeData(["deactivate_peer", "../..", "--yes"]), /There is no registered peer "\.\.\/\.\."\.$/m);
  assert.equal((await nodeData(["deactivate_peer", "1234abcd", "--yes"])).code, 0);
  assert.match((await nodeData(["info"])).output, /State +inactive \(deactivated \d{4}-\d\d-\d\d\)/);
  assert.match((await nodeData(["deactivate_peer", "1234abcd"])).output, /was deactivated already/);
});

test("no output of any command had a key or the pass phrase in it", () => {
  const keys = ["node/private/root-ca.key", "node/server.key"].map(
    (name) => readFileSync(folder.file(name), "utf8").split("\n")[5]!,
  );
  const all = outputs.join("\n");
  for (const secret of [...keys, PASSPHRASE, "PRIVATE KEY"]) assert.ok(!all.includes(secret));
  assert.ok(outputs.length > 30);
});
