/** Real HTTP on one side, the page's node on the other: nothing is interpreted in between. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { bytesToLatin1, fromBytes, latin1ToBytes, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { FrameReader, writeFrame, type AnswerHead } from './envelope.ts';
import type { Route } from '../../test/setup/bundle.ts';

/** A request may say and carry a lot: the node has limits of its own. */
const MAX_HEADER_BYTES = 16 * 1024 * 1024;
const MAX_BODY_BYTES = 512 * 1024 * 1024;

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
    const reader = new FrameReader<AnswerHead>();
    request.on('data', (chunk: Buffer) => {
      for (const { head, body } of reader.push(chunk)) this.#answer(head, body);
    });
    request.on('end', () => response.writeHead(204).end());
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
      const parts: Buffer[] = [];
      let size = 0;
      for await (const part of request as AsyncIterable<Buffer>) {
        size += part.length;
        if (size > MAX_BODY_BYTES)
          throw new AoError('body-too-large', `A body may have ${MAX_BODY_BYTES} bytes.`, { status: 413 });
        parts.push(part);
      }
      if (!this.#requests) throw new AoError('no-node', 'The node is not there yet.', { status: 503 });
      const head = {
        id,
        method: request.method ?? 'GET',
        target: octets(request.url ?? '/'),
        headers: headersOf(request),
      };
      this.#requests.write(writeFrame(head, Buffer.concat(parts)));
    } catch (thrown) {
      this.#fail(id, AoError.wrap(thrown, 'bad-request', 400));
    }
  }

  #answer({ id, status, headers }: AnswerHead, body: Uint8Array): void {
    const response = this.#waiting.get(id);
    if (!response) return;
    this.#waiting.delete(id);
    try {
      const own = headers.filter(([name]) => !CONNECTION.has(name.toLowerCase()));
      if (mayHaveBody(status)) own.push(['content-length', String(body.length)]);
      response.writeHead(
        status,
        own.flatMap(([name, value]) => [name, bytesToLatin1(toBytes(value))]),
      );
      response.end(mayHaveBody(status) ? body : undefined);
    } catch (thrown) {
      // A header that HTTP can not carry: an answer all the same.
      this.#waiting.set(id, response);
      this.#fail(id, AoError.wrap(thrown, 'bad-header', 502));
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
