/** Node IDs and types. Spec: node-data, "Node ID". */
import { hash, type KeyObject } from "node:crypto";

/** The types of nodes, as the organizational unit of a subject and the files `nodetype` have them. */
export const NODE_TYPES = ["Debtors Agents", "Creditors Agents", "Accounting Authorities"] as const;

/** One of `NODE_TYPES`. */
export type NodeType = (typeof NODE_TYPES)[number];

/** Whether the text is a node type. */
export const isNodeType = (text: string): text is NodeType => (NODE_TYPES as readonly string[]).includes(text);

/** Whether the text is an ID of a node of that type; only such a text may become part of a path. */
export const isNodeIdOf = (type: NodeType, text: string): boolean =>
  type === "Accounting Authorities" ? /^[0-9a-f]{8}$/.test(text) : /^[0-9a-f]{32}$/.test(text);

/** Whether the text is a node ID: 8 digits (accounting authorities) or 32 (agents). */
export const isNodeId = (text: string): boolean => /^(?:[0-9a-f]{8}|[0-9a-f]{32})$/.test(text);

/** The ID of an agent: the first 16 bytes of the SHA-256 of its root public key (SubjectPublicKeyInfo). */
export const agentIdOf = (rootPublicKey: KeyObject): string =>
  hash("sha256", rootPublicKey.export({ type: "spki", format: "der" }), "hex").slice(0, 32);
