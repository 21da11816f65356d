/**
 * Bodies on their way between a page, the Service Worker, the bridge and the node: read piece by piece up to a limit,
 * handed over a port without being copied by it, given out as a stream.
 *
 * A body is held once by the node and at most once more on the way: by whoever may have to ask again, or by the reply
 * that is being read.
 */
import { AoError } from '../base/errors.ts';
import { transfer } from './rpc.ts';

/** Largest body of a request, bytes. */
export const MAX_BODY = 64 * 1024 * 1024;
/** From this size on, in bytes, bodies are transferred and streamed; smaller ones are cheaper to copy. */
const LARGE = 256 * 1024;
/** Size of the pieces of a stream, bytes. */
const PIECE = 256 * 1024;

/** The refusal of a body that has more than `limit` bytes. */
export function bodyTooLarge(limit: number): AoError {
  return new AoError('body-too-large', `The body is larger than ${limit} bytes.`, { status: 413 });
}

/**
 * Reads a stream to its end. As soon as it turns out to be too large it is cancelled and what was read is dropped.
 * @throws AoError `body-too-large` (413), and whatever the stream fails with
 */
export async function readBody(
  stream: ReadableStream<Uint8Array> | null,
  limit = MAX_BODY,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!stream) return new Uint8Array(0);
  const reader = stream.getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    size += piece.value.length;
    if (size > limit) {
      const refusal = bodyTooLarge(limit);
      // Not waited for: a sender may take its time to stop.
      void reader.cancel(refusal).catch(() => {});
      throw refusal;
    }
    pieces.push(piece.value);
  }
  return joined(pieces, size);
}

/**
 * The body of a request, as `readBody` reads it.
 * @throws AoError `body-too-large` (413)
 */
export async function requestBody(request: Request, limit = MAX_BODY): Promise<Uint8Array<ArrayBuffer>> {
  // Where requests have no streams the browser reads the body itself; as a blob it need not be in memory.
  const stream = 'body' in request ? request.body : (await (request as Request).blob()).stream();
  return readBody(stream, limit);
}

/** The pieces as one buffer; each is let go as soon as it is copied. */
export function joined(pieces: Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const only = pieces[0];
  if (pieces.length === 1 && only?.buffer instanceof ArrayBuffer && only.length === only.buffer.byteLength)
    return only as Uint8Array<ArrayBuffer>;
  const all = new Uint8Array(size);
  let at = 0;
  pieces.reverse();
  for (let piece = pieces.pop(); piece; piece = pieces.pop()) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/**
 * The same exchange, ready for a port. A large body goes as a buffer of its own that is transferred: the original stays
 * whole, be it for asking again or because it is a value that others hold.
 */
export function portable<T extends { readonly body: Uint8Array }>(exchange: T): T {
  if (exchange.body.length < LARGE) return exchange;
  const body = exchange.body.slice();
  return transfer({ ...exchange, body }, [body.buffer]);
}

/** What a `Response` is made of: a large body is given out piece by piece, as fast as it is read. */
export function bodyInit(body: Uint8Array): BodyInit {
  if (body.length < LARGE) return body as Uint8Array<ArrayBuffer>;
  let rest: Uint8Array | undefined = body;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (!rest) return;
        controller.enqueue(rest.subarray(0, PIECE));
        rest = rest.length > PIECE ? rest.subarray(PIECE) : undefined;
        if (!rest) controller.close();
      },
      cancel() {
        rest = undefined;
      },
    },
    { highWaterMark: 1 },
  );
}
