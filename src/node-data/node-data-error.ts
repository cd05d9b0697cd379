/** Errors about a node's directory and about files from peers. */

/**
 * A file of the node's directory, a bundle or a certificate is missing, unreadable or not acceptable. The message is one
 * line that names the file, and the key where there is one; it never quotes a key or a pass phrase.
 */
export class NodeDataError extends Error {
  override readonly name = "NodeDataError";
}
