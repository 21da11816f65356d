/**
 * Checking secp256k1 signatures of keys that come again and again, as those of a process's users do: with a table of the
 * key's multiples a check takes a fraction of the time that recovering the key takes.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { toBase64, toHex } from '../base/bytes.ts';

const { Point } = secp256k1;
const { Fn } = Point;
type Curve = typeof Point.BASE;

/** A table costs as much as some checks: it is made for a key that was seen so often. */
const WORTH = 4;
const WINDOW = 5;
/** Keys that are remembered; a table is some 200 KB. */
const MOST = 64;

interface Known {
  times: number;
  table?: Curve;
}

/** The key used last is the last. */
const known = new Map<string, Known>();

/** The key with its table, if it has one. */
export function tableOf(publicKey: Uint8Array): Curve | undefined {
  const name = toBase64(publicKey);
  const found = known.get(name);
  if (!found?.table) return undefined;
  known.delete(name);
  known.set(name, found);
  return found.table;
}

/** Tells of a signature that this key (uncompressed) has made. */
export function keySeen(publicKey: Uint8Array): void {
  const name = toBase64(publicKey);
  const found = known.get(name) ?? { times: 0 };
  known.delete(name);
  known.set(name, found);
  if (++found.times === WORTH) found.table = Point.fromBytes(publicKey).precompute(WINDOW, false);
  if (known.size > MOST) known.delete(known.keys().next().value!);
}

/**
 * True where the key made the signature, and recovering from it would give this very key: `recovery` 0 or 1.
 * The signature is `r ‖ s`, its `s` not high.
 */
export function madeBy(key: Curve, hash: Uint8Array, compact: Uint8Array, recovery: number): boolean {
  try {
    const { r, s } = secp256k1.Signature.fromBytes(compact, 'compact');
    const inverse = Fn.inv(s);
    const one = Fn.create(BigInt(`0x${toHex(hash)}`) * inverse);
    const sum = Point.BASE.multiplyUnsafe(one).add(key.multiplyUnsafe(Fn.create(r * inverse)));
    if (sum.is0()) return false;
    const { x, y } = sum.toAffine();
    return x === r && (y & 1n) === BigInt(recovery);
  } catch {
    return false;
  }
}
