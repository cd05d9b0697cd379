// Finds the shard of a debtor, for nginx with njs. Written for njs 0.7.9: no BigInt, no destructuring.
// biome-ignore lint/style/useNodejsImportProtocol: njs knows it by this name only.
import crypto from "crypto";

/**
 * The upstream for a request: the shard that owns the debtor in the path; for a path without a debtor, which every shard
 * can answer, a random one, each in proportion to its share of the IDs; but the first one, whose bits are all 0, for the
 * caller's own debtor, since no other one may create debtors for new subjects. Empty when the list of shards has a hole.
 */
function pickShard(r) {
  const segments = r.variables.request_uri.split("?")[0].split("/");
  const debtorId = segments[1] === "debtors" && segments.length > 3 ? readId(segments[2]) : undefined;
  const isOwn = segments.length === 3 && segments[2] === ".debtor";
  const bits = debtorId !== undefined ? digestBits(debtorId) : isOwn ? toBits(0) : randomBits();
  const owner = listShards(r).find((shard) => bits.startsWith(shard.bits));
  return owner === undefined ? "" : owner.upstream;
}

/**
 * A page of the list of all active debtors. Every shard is asked for its page. As the pages end at different IDs, the
 * one that reaches least far says how far the common page goes, and where the next one begins.
 */
async function enumerate(r) {
  const shards = listShards(r);
  if (r.method !== "GET" && r.method !== "HEAD") {
    r.internalRedirect("@any_shard");
    return;
  }
  const replies = await Promise.all(shards.map((shard) => r.subrequest(`/.shard/${shard.upstream}`)));
  const refusal = replies.find((reply) => reply.status !== 200);
  const reply = refusal || replies[0];
  // nginx has given up on that shard; the web server itself says when to try again.
  if (reply.status >= 502 && reply.headersOut["Retry-After"] === undefined) {
    r.internalRedirect("@unavailable");
    return;
  }
  for (const name in reply.headersOut) {
    if (!NOT_COPIED.includes(name.toLowerCase())) r.headersOut[name] = reply.headersOut[name];
  }
  r.return(
    reply.status,
    refusal || shards.length === 1 ? reply.responseText : JSON.stringify(mergePages(replies.map(readPage))),
  );
}

const NOT_COPIED = ["content-length", "transfer-encoding", "connection", "keep-alive", "date", "server"];

function readPage(reply) {
  return JSON.parse(reply.responseText);
}

function mergePages(pages) {
  const continued = pages.filter((page) => page.next !== undefined).sort((a, b) => (isBefore(a.next, b.next) ? -1 : 1));
  const next = continued.length === 0 ? undefined : continued[0].next;
  const items = [];
  pages.forEach((page) => {
    page.items.forEach((item) => {
      if (next === undefined || isBefore(item.uri, next)) items.push(item);
    });
  });
  items.sort((a, b) => (isBefore(a.uri, b.uri) ? -1 : 1));
  const merged = { type: pages[0].type, uri: pages[0].uri, items: items };
  if (next !== undefined) merged.next = next;
  return merged;
}

/** Whether the debtor of the one path stands before that of the other: by the signed number, so 2^63 is the first. */
function isBefore(path, otherPath) {
  return sortKey(path) < sortKey(otherPath);
}

function sortKey(path) {
  const digits = path.split("/")[2].padStart(20, "0");
  return (digits >= "09223372036854775808" ? "-" : "0") + digits;
}

/** `$swpt_shards`, such as `0.#=shard_0 1.#=shard_1`. */
function listShards(r) {
  return r.variables.swpt_shards
    .split(" ")
    .filter((entry) => entry !== "")
    .map((entry) => ({ bits: entry.split("=")[0].replace(/[.#]/g, ""), upstream: entry.split("=")[1] }));
}

/** The unsigned decimal, percent-decoded as the web server does it; `undefined` for anything else. */
function readId(segment) {
  try {
    const text = decodeURIComponent(segment);
    return /^[0-9]{1,20}$/.test(text) ? text : undefined;
  } catch (_e) {
    return undefined;
  }
}

/** The first 32 bits of the MD5 digest of the ID, which is eight bytes, big-endian. */
function digestBits(digits) {
  const bytes = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < digits.length; i++) {
    let carry = Number(digits[i]);
    for (let j = 7; j >= 0; j--) {
      const value = bytes[j] * 10 + carry;
      bytes[j] = value & 255;
      carry = value >> 8;
    }
  }
  const digest = crypto.createHash("md5").update(Buffer.from(bytes)).digest("hex");
  return toBits(parseInt(digest.slice(0, 8), 16));
}

function randomBits() {
  return toBits(Math.floor(Math.random() * 4294967296));
}

function toBits(number) {
  return number.toString(2).padStart(32, "0");
}

export default { pickShard, enumerate };
