/** Byte arrays in the type that WebCrypto's declarations ask for. */
export type Octets = Uint8Array<ArrayBuffer>;

/**
 * The same bytes, typed for WebCrypto. It refuses shared memory, which nothing here ever hands it;
 * a view of shared memory is copied to be sure.
 */
export function source(bytes: Uint8Array): Octets {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Octets) : new Uint8Array(bytes);
}
