/** Gzip by the platform's own streams. */
import { AoError } from './errors.ts';

export async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  return through(bytes, new CompressionStream('gzip'), Infinity);
}

/** @throws AoError `bad-gzip` (422) for what does not unpack, or unpacks to more than `maxBytes` */
export async function gunzip(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  return through(bytes, new DecompressionStream('gzip'), maxBytes);
}

async function through(
  bytes: Uint8Array,
  stream: CompressionStream | DecompressionStream,
  maxBytes: number,
): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    const packed = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(stream);
    for await (const part of packed as unknown as AsyncIterable<Uint8Array<ArrayBuffer>>) {
      size += part.length;
      if (size > maxBytes) throw new AoError('bad-gzip', 'The data is too large.', { status: 422 });
      parts.push(part);
    }
  } catch (thrown) {
    if (thrown instanceof AoError) throw thrown;
    throw new AoError('bad-gzip', 'The data does not unpack.', { status: 422, cause: thrown });
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
