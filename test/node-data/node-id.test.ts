import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { test } from "node:test";
import { agentIdOf, isNodeId, isNodeIdOf } from "../../src/node-data/node-id.ts";

const VECTORS = [
  [
    [
      "MIIBojANBgkqhkiG9w0BAQEFAAOCAY8AMIIBigKCAYEArfdp9XqCdmDOEKX9DJeumNZ8BqYwgyl7BYvKX8bmvo7n8FI1VWKn",
      "6FEOPylvSZeMD7FfROQLt3WWyp/efHT9l2sssxWoMRxQnwuodbAxUID+XVrgvaS7uK169CQh9JLc7w6H6Q8eUgT5+kc89cxb",
      "KLXKejKXKF3uMvNCesejenwygGGb7Q8W321yP9jaNgzReRsZrUGZu3kvuPAhHomUAYE4Z83yzXB9Q7GX5B7j6t6hL4BLxNaP",
      "FrJqvTmyHVHKoCt96Zv+sDGqlFT6gZn4ZorZZyLG9RGw4ICGscFTZgwzgl54OImmkPUg5AFnTVPjzSBbGz08kAPGnf4klR5i",
      "eh18p6BKFbOX7bfcnvKiM6lv5WALBFD9mWf14XViwrFJlN31ecAXgt1FiVounr+4v5spSYgcqhyt7gWMOtNaGfTh5fCIBEzd",
      "kBSAoEL3CIQrVsxGLZ0WU69sLH5M2RJurNUBYkzjJVCuF/k/2f2Zi4i2x79xxTryQsUJhL/LTEuJAgMBAAE=",
    ].join(""),
    "af62ff7d4f46a4322a631d9c537deed0",
  ],
  [
    [
      "MIIBojANBgkqhkiG9w0BAQEFAAOCAY8AMIIBigKCAYEA0qNlfndGAQysViOLw6UVcw0PSLYPI2hlW1CFnGL1/CiU4HsDsJeV",
      "tCbFVxyzs7ZlaZvsuktGK6FU/ggAqjN07rHD1rahmR9zNtfLUws1rdE41GI0gGsHuQkk9HzTZK8b5i/12oRRgkBf+3EgqMQU",
      "TGKOrxgo2hEo5CiZI6DtERXdywOroWeLRutRRZSRaEJTszSMR7v+Sm163ytQGRr2u/SyQOTGNviy0DvtunJ4pr51DAFU/8Jy",
      "/adhkrOL78fZkpGug6oqLsRBlWPdRHuSqznaue77UNC2Bkkf6f4s8KSAF4j1XTTK4pqEf6eqp6a19PnAODKnZTUnwKOMA7Tw",
      "ndRwAxxbn/58OYQp+8iYs2b5ds+r2tcq6nkfuXzZuwlYQf62ABH/eFd4Fk+JdZW16VoSRDrunHGAjlw1s2zt1sdD533z40UK",
      "EDco3DGWFF8MlsmUk4qKK1GgBDLC21r6CT7625tN7XOX5lCXRi5YbKyG3ouWgJdqcrePbXlQDEiPAgMBAAE=",
    ].join(""),
    "094b45143f42f113356df23796878b73",
  ],
] as const;

test("the ID of an agent is derived from its root public key", () => {
  for (const [spki, nodeId] of VECTORS) {
    const key = createPublicKey({ key: Buffer.from(spki, "base64"), format: "der", type: "spki" });
    assert.equal(agentIdOf(key), nodeId);
  }
});

test("a node ID has 8 or 32 lower-case digits, depending on the node type, and cannot be a path", () => {
  const [agentId, authorityId] = ["af62ff7d4f46a4322a631d9c537deed0", "1234abcd"];
  assert.ok(isNodeId(agentId) && isNodeId(authorityId));
  assert.ok(isNodeIdOf("Debtors Agents", agentId) && isNodeIdOf("Accounting Authorities", authorityId));
  assert.ok(!isNodeIdOf("Debtors Agents", authorityId) && !isNodeIdOf("Accounting Authorities", agentId));
  for (const text of [
    "",
    "../../x",
    "..",
    "1234ABCD",
    "1234abcd\n",
    "1234abcd0",
    "1234abc/",
    `${agentId}0`,
    "１２３４ａｂｃｄ",
  ]) {
    assert.ok(!isNodeId(text), JSON.stringify(text));
  }
});
