/** The names of nodes in certificates: organization, type and node ID. Spec: node-data, "Certificates". */
import {
  DerError,
  type DerValue,
  decode,
  encode,
  membersOf,
  objectIdentifier,
  readObjectIdentifier,
  sequence,
  setOf,
  TAG,
} from "./der.ts";
import { isNodeIdOf, isNodeType, type NodeType } from "./node-id.ts";

const ORGANIZATION = "Swaptacular Nodes Registry";

const OID = { organization: "2.5.4.10", organizationalUnit: "2.5.4.11", serialNumber: "2.5.4.5" } as const;

/** A node as its certificates name it. */
export interface Subject {
  readonly nodeType: NodeType;
  readonly nodeId: string;
}

/** The name as DER: exactly three relative distinguished names, in this order. */
export function encodeSubject({ nodeType, nodeId }: Subject): Buffer {
  const rdn = (oid: string, tag: number, text: string): Buffer =>
    setOf(sequence(objectIdentifier(oid), encode(tag, Buffer.from(text))));
  return sequence(
    rdn(OID.organization, TAG.utf8String, ORGANIZATION),
    rdn(OID.organizationalUnit, TAG.utf8String, nodeType),
    rdn(OID.serialNumber, TAG.printableString, nodeId),
  );
}

/** Reads such a name. `undefined` for every other name, also when the ID does not fit the type. */
export function parseSubject(der: Buffer): Subject | undefined {
  try {
    const attributes = membersOf(decode(der)).map(readAttribute);
    const [organization, unit, serialNumber] = attributes.map(({ text }) => text);
    const order = attributes.map(({ oid }) => oid).join(" ");
    if (order !== Object.values(OID).join(" ") || organization !== ORGANIZATION) return undefined;
    if (!isNodeType(unit!) || !isNodeIdOf(unit, serialNumber!)) return undefined;
    return { nodeType: unit, nodeId: serialNumber! };
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** Whether both name the same node. */
export const isSameSubject = (one: Subject, other: Subject | undefined): boolean =>
  one.nodeType === other?.nodeType && one.nodeId === other.nodeId;

function readAttribute(rdn: DerValue): { oid: string; text: string } {
  const pairs = membersOf(rdn, TAG.set);
  const [oid, value, ...rest] = membersOf(pairs[0]);
  const isText = value?.tag === TAG.utf8String || value?.tag === TAG.printableString;
  if (pairs.length !== 1 || rest.length > 0 || !isText) throw new DerError("no attribute of a name");
  return { oid: readObjectIdentifier(oid), text: value.content.toString("utf8") };
}
