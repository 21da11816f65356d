/** HMAC-SHA-256 (RFC 2104), synchronous: every unsigned ID is one (messages.md §7). */
import { sha256 } from './hash.ts';
import type { Octets } from './octets.ts';

const BLOCK = 64;

interface Pads {
  readonly inner: Uint8Array;
  readonly outer: Uint8Array;
}

function pads(key: Uint8Array): Pads {
  const material = key.length > BLOCK ? sha256(key) : key;
  const inner = new Uint8Array(BLOCK).fill(0x36);
  const outer = new Uint8Array(BLOCK).fill(0x5c);
  for (let i = 0; i < material.length; i++) {
    inner[i]! ^= material[i]!;
    outer[i]! ^= material[i]!;
  }
  return { inner, outer };
}

export function hmacSha256(key: Uint8Array, data: Uint8Array): Octets {
  const { inner, outer } = pads(key);
  const first = new Uint8Array(BLOCK + data.length);
  first.set(inner);
  first.set(data, BLOCK);
  const second = new Uint8Array(BLOCK + 32);
  second.set(outer);
  second.set(sha256(first), BLOCK);
  return sha256(second);
}

/** Equality that takes the same time wherever the two differ; lengths are not secret. */
export function equalSecret(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let different = 0;
  for (let i = 0; i < a.length; i++) different |= a[i]! ^ b[i]!;
  return different === 0;
}
