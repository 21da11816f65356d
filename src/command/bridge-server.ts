/** Real HTTP on one side, the page's node on the other: nothing is interpreted in between. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { bytesToLatin1, fromBytes, latin1ToBytes, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { bodyTooLarge, MAX_BODY } from '../protocol/body.ts';
import { frameHead, openFrame, type AnswerHead, type OpenFrame } from './envelope.ts';
import type { Route } from '../../test/setup/bundle.ts';

/** A request may say a lot: the node has limits of its own. */
const MAX_HEADER_BYTES = 16 * 1024 * 1024;
/** How long a client that goes on sending what was refused is given to read why, milliseconds. */
const LINGER = 2_000;

export class Bridge {
  readonly #server: Server;
  readonly #waiting = new Map<number, ServerResponse>();
  #requests: ServerResponse | undefined;
  #next = 1;

  constructor() {
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        insecureHTTPParser: true,
        requestTimeout: 0,
        joinDuplicateHeaders: false,
      },
      (request, response) => void this.#take(request, response),
    );
    this.#server.maxHeadersCount = 0;
    // Who asks before sending is told without sending.
    this.#server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      if (announced(request) <= MAX_BODY) response.writeContinue();
      void this.#take(request, response);
    });
    this.#server.timeout = 0;
    this.#server.on('clientError', (_, socket) => {
      if (socket.writable)
        socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
    });
  }

  /** The page's side: it reads requests from one stream and posts answers. */
  readonly route: Route = (request, response) => {
    if (request.url === '/bridge/requests') {
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' });
      response.flushHeaders();
      this.#requests = response;
      return true;
    }
    if (request.url !== '/bridge/answers') return false;
    void openFrame<AnswerHead>(request)
      .then((frame) => this.#answer(frame))
      .then(
        () => response.writeHead(204).end(),
        () => response.writeHead(400).end(),
      );
    return true;
  };

  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : port;
  }

  async close(): Promise<void> {
    for (const id of [...this.#waiting.keys()])
      this.#fail(id, new AoError('stopped', 'The bridge stops.', { status: 503 }));
    this.#requests?.end();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = this.#next++;
    this.#waiting.set(id, response);
    response.once('close', () => this.#waiting.delete(id));
    try {
      const { parts, size } = await readParts(request);
      if (!this.#requests) throw new AoError('no-node', 'The node is not there yet.', { status: 503 });
      const head = {
        id,
        method: request.method ?? 'GET',
        target: octets(request.url ?? '/'),
        headers: headersOf(request),
      };
      this.#requests.write(frameHead(head, size));
      for (const part of parts) this.#requests.write(part);
    } catch (thrown) {
      this.#fail(id, AoError.wrap(thrown, 'bad-request', 400));
      // Closing at once could take the answer away from a client that is still sending.
      if (!request.complete) setTimeout(() => request.socket.destroy(), LINGER).unref();
    }
  }

  /** Passes the answer on as it comes, no faster than the client reads. */
  async #answer({ head, size, body }: OpenFrame<AnswerHead>): Promise<void> {
    const { id, status, headers } = head;
    const response = this.#waiting.get(id);
    if (!response) return drain(body);
    this.#waiting.delete(id);
    try {
      const own = headers.filter(([name]) => !CONNECTION.has(name.toLowerCase()));
      if (mayHaveBody(status)) own.push(['content-length', String(size)]);
      response.writeHead(
        status,
        own.flatMap(([name, value]) => [name, bytesToLatin1(toBytes(value))]),
      );
    } catch (thrown) {
      // A header that HTTP cannot carry: an answer all the same.
      this.#waiting.set(id, response);
      this.#fail(id, AoError.wrap(thrown, 'bad-header', 502));
      return drain(body);
    }
    const closed = new AbortController();
    response.once('close', () => closed.abort());
    try {
      for await (const part of body)
        if (mayHaveBody(status) && !response.destroyed && !response.write(part))
          await once(response, 'drain', { signal: closed.signal }).catch(() => {});
      response.end();
    } catch (thrown) {
      // Less came than was announced: the client must not take it for the whole.
      response.destroy();
      throw thrown;
    }
  }

  #fail(id: number, error: AoError): void {
    const response = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (!response || response.headersSent) return;
    response.writeHead(error.status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(error.toJSON())}\n`);
  }
}

/** What `content-length` says, 0 without. */
function announced(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0);
}

/** @throws AoError `body-too-large` (413) as soon as it is known; what was read is dropped then */
async function readParts(request: IncomingMessage): Promise<{ parts: Buffer[]; size: number }> {
  const parts: Buffer[] = [];
  let size = 0;
  if (announced(request) > MAX_BODY) throw bodyTooLarge(MAX_BODY);
  const pieces: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const part of pieces) {
    size += part.length;
    if (size > MAX_BODY) throw bodyTooLarge(MAX_BODY);
    parts.push(part);
  }
  return { parts, size };
}

async function drain(octets: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of octets);
}

/** They speak of one connection and what goes over it, which is this server's affair, also where a message has such keys. */
const CONNECTION = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function mayHaveBody(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304;
}

/** Every header as it came, in order; names in lower case as HTTP has them equal, values as octets. */
function headersOf({ rawHeaders }: IncomingMessage): [string, string][] {
  const headers: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2)
    headers.push([rawHeaders[i]!.toLowerCase(), octets(rawHeaders[i + 1]!)]);
  return headers;
}

/** Node hands over one character a byte; we hold octets in their string form. */
function octets(latin1: string): string {
  return fromBytes(latin1ToBytes(latin1));
}
