/**
 * SHA-2 as synchronous functions, since a deep hash or an ID is dozens of hashes of a few bytes each and
 * waiting for WebCrypto costs more than those hashes do.
 *
 * Two engines give the same digests: hash-wasm (4 to 5 times faster, but compiled asynchronously) once it has
 * been loaded, and @noble/hashes until then. `hashesReady()` resolves when the fast one is in use.
 * Everything large goes to WebCrypto: `sha256Async`.
 */
import { sha256 as nobleSha256, sha384 as nobleSha384, sha512 as nobleSha512 } from '@noble/hashes/sha2.js';
import { createSHA256, createSHA384, createSHA512, type IHasher } from 'hash-wasm';
import { source, type Octets } from './octets.ts';

export type HashName = 'sha256' | 'sha384' | 'sha512';

const noble = { sha256: nobleSha256, sha384: nobleSha384, sha512: nobleSha512 };
const fast: Partial<Record<HashName, IHasher>> = {};

/** WebCrypto's name of a hash. */
export const SUBTLE_NAMES = { sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' } as const;

const loading = Promise.all([
  createSHA256().then((hasher) => (fast.sha256 = hasher)),
  createSHA384().then((hasher) => (fast.sha384 = hasher)),
  createSHA512().then((hasher) => (fast.sha512 = hasher)),
]).then(
  () => true,
  // No WebAssembly here (a strict content security policy): the slower engine does.
  () => false,
);

/** Resolves when the fast engine is loaded (true) or cannot be (false). Never needed for correctness. */
export function hashesReady(): Promise<boolean> {
  return loading;
}

export function digest(name: HashName, bytes: Uint8Array): Octets {
  const engine = fast[name];
  // The shared instance is safe: nothing else can run between these three calls.
  return (engine ? engine.init().update(bytes).digest('binary') : noble[name](bytes)) as Octets;
}

export function sha256(bytes: Uint8Array): Octets {
  return digest('sha256', bytes);
}

export function sha384(bytes: Uint8Array): Octets {
  return digest('sha384', bytes);
}

export function sha512(bytes: Uint8Array): Octets {
  return digest('sha512', bytes);
}

/** WebCrypto copies what it hashes: beyond this, memory matters more than the thread. */
const MAX_COPY = 8 * 1024 * 1024;
const PIECE = 4 * 1024 * 1024;

/**
 * Without holding this thread up: by WebCrypto, worth it from some 64 KiB; what is larger than 8 MiB piece by piece,
 * so that it is not held twice.
 */
export async function digestAsync(name: HashName, bytes: Uint8Array): Promise<Octets> {
  if (bytes.length <= MAX_COPY)
    return new Uint8Array(await crypto.subtle.digest(SUBTLE_NAMES[name], source(bytes)));
  await loading;
  const hasher = createHasher(name);
  for (let at = 0; at < bytes.length; at += PIECE) {
    hasher.update(bytes.subarray(at, at + PIECE));
    // Others have their turn.
    await new Promise((resolve) => setTimeout(resolve));
  }
  return hasher.digest();
}

export function sha256Async(bytes: Uint8Array): Promise<Octets> {
  return digestAsync('sha256', bytes);
}

export function sha384Async(bytes: Uint8Array): Promise<Octets> {
  return digestAsync('sha384', bytes);
}

/** A hash fed piece by piece, for streams and for what is not in one buffer. */
export interface Hasher {
  update(bytes: Uint8Array): Hasher;
  /** Ends it: no `update` afterwards. */
  digest(): Octets;
}

export function createHasher(name: HashName): Hasher {
  const engine = fast[name];
  return engine ? new SharedHasher(engine) : new NobleHasher(name);
}

class NobleHasher implements Hasher {
  readonly #hash;

  constructor(name: HashName) {
    this.#hash = noble[name].create();
  }

  update(bytes: Uint8Array): this {
    this.#hash.update(bytes);
    return this;
  }

  digest(): Octets {
    return this.#hash.digest() as Octets;
  }
}

/** Keeps its own state and borrows the one engine for each piece, so that any number can run at once. */
class SharedHasher implements Hasher {
  readonly #engine: IHasher;
  #state: Uint8Array;

  constructor(engine: IHasher) {
    this.#engine = engine;
    this.#state = engine.init().save();
  }

  update(bytes: Uint8Array): this {
    this.#state = this.#engine.load(this.#state).update(bytes).save();
    return this;
  }

  digest(): Octets {
    return this.#engine.load(this.#state).digest('binary') as Octets;
  }
}
