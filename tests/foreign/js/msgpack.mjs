// Reads one JSON object a line, {"hex": bytes, "tree": value}, from standard input and checks with @msgpack/msgpack that
// the bytes decode to the tree, and that the library, fed the tree, writes the same bytes. Prints how many lines held;
// the first that does not ends the run with status 1 and says why.
//
// A tree is {"i": "integer"}, {"f": "float"}, {"s": "text"}, {"h": "bytes in hexadecimal"}, {"b": boolean} or an array of trees.
import { createInterface } from "node:readline";
import { decode, encode } from "@msgpack/msgpack";

const hex = (bytes) => Buffer.from(bytes).toString("hex");

// With useBigInt64 the library writes a number beyond 32 bits as a float, and every BigInt as 64 bits.
function integer(text) {
  const value = BigInt(text);
  return value >= -(2n ** 31n) && value < 2n ** 32n ? Number(value) : value;
}

function write(tree) {
  if (Array.isArray(tree)) {
    // The library's own head for an array of this length: its encoding less that of its elements, one byte of nil each.
    const nils = encode(new Array(tree.length).fill(null));
    return Buffer.concat([nils.subarray(0, nils.length - tree.length), ...tree.map(write)]);
  }
  if ("i" in tree) return Buffer.from(encode(integer(tree.i), { useBigInt64: true }));
  if ("f" in tree) return Buffer.from(encode(Number(tree.f), { forceIntegerToFloat: true }));
  if ("s" in tree) return Buffer.from(encode(tree.s));
  if ("h" in tree) return Buffer.from(encode(Buffer.from(tree.h, "hex")));
  return Buffer.from(encode(tree.b));
}

function same(value, tree) {
  if (Array.isArray(tree)) return Array.isArray(value) && value.length === tree.length && tree.every((item, index) => same(value[index], item));
  if ("i" in tree) return BigInt(value) === BigInt(tree.i);
  if ("f" in tree) return Object.is(value, Number(tree.f));
  if ("s" in tree) return value === tree.s;
  if ("h" in tree) return value instanceof Uint8Array && hex(value) === tree.h;
  return value === tree.b;
}

let held = 0;
let failure = null;
for await (const line of createInterface({ input: process.stdin })) {
  failure ??= check(line);
  held += failure === null ? 1 : 0;
}
console.log(failure ?? `${held} held`);
process.exitCode = failure === null ? 0 : 1;

function check(line) {
  const { hex: expected, tree } = JSON.parse(line);
  // useBigInt64 gives integers of 64 bits as BigInt, shorter ones as numbers. Left-over bytes make decode throw.
  const value = decode(Buffer.from(expected, "hex"), { useBigInt64: true });
  if (!same(value, tree)) return `decodes to another value: ${line.slice(0, 500)}`;
  const written = hex(write(tree));
  return written === expected ? null : `the library writes ${written.slice(0, 200)}: ${line.slice(0, 500)}`;
}
