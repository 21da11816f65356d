import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { fromBytes } from '../../../src/base/bytes.ts';
import { Bridge } from '../../../src/command/bridge-server.ts';
import { MAX_BODY } from '../../../src/protocol/body.ts';
import { FrameReader, writeFrame, type RequestHead } from '../../../src/command/envelope.ts';
import { servePage, type PageServer } from '../../setup/bundle.ts';

let bridge: Bridge | undefined;
let pageSide: PageServer | undefined;

afterEach(async () => {
  await bridge?.close();
  await pageSide?.close();
  bridge = pageSide = undefined;
});

type Frame = { head: RequestHead; body: Uint8Array };

/** A bridge whose page answers with `reply`. */
async function start(
  reply: (frame: Frame) => { status: number; headers: [string, string][]; body: Uint8Array },
) {
  bridge = new Bridge();
  pageSide = await servePage(new Map(), bridge.route);
  const { origin } = pageSide;
  const stream = await fetch(`${origin}/bridge/requests`);
  void (async () => {
    const reader = new FrameReader<RequestHead>();
    try {
      for await (const chunk of stream.body!)
        for (const frame of reader.push(chunk)) {
          const { status, headers, body } = reply(frame);
          const answer = writeFrame({ id: frame.head.id, status, headers }, body);
          await fetch(`${origin}/bridge/answers`, { method: 'POST', body: answer });
        }
    } catch {
      // The bridge was closed.
    }
  })();
  return bridge.listen(0);
}

/** Sends octets as they are and answers what comes back until the server ends the connection. */
function raw(port: number, octets: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(octets));
    const parts: Buffer[] = [];
    socket.on('data', (part) => parts.push(part));
    socket.on('end', () => resolve(Buffer.concat(parts)));
    socket.on('error', reject);
  });
}

const latin1 = (text: string) => Buffer.from(text, 'latin1');

describe('the bridge', () => {
  it('carries what a browser’s Request cannot', async () => {
    let seen: Frame | undefined;
    const port = await start((frame) => {
      seen = frame;
      return { status: 200, headers: [], body: new Uint8Array(0) };
    });
    await raw(
      port,
      latin1(
        'GET /a%20b/%E9?x=1|2&&(y) HTTP/1.1\r\nHost: some.where\r\nX-A: 1\r\nx-a: 2\r\nX-Octets: \xff\xe9z\r\n' +
          'Connection: close\r\nContent-Length: 5\r\n\r\n\x00\x01\xff\r\n',
      ),
    );
    expect(seen?.head.method).toBe('GET');
    expect(seen?.head.target).toBe('/a%20b/%E9?x=1|2&&(y)');
    expect(seen?.head.headers).toEqual([
      ['host', 'some.where'],
      ['x-a', '1'],
      ['x-a', '2'],
      ['x-octets', fromBytes(Uint8Array.of(0xff, 0xe9, 0x7a))],
      ['connection', 'close'],
      ['content-length', '5'],
    ]);
    expect([...seen!.body]).toEqual([0, 1, 255, 13, 10]);
  });

  it('gives back status, repeated headers and octets as the node said them', async () => {
    const port = await start(() => ({
      status: 418,
      headers: [
        ['x-b', 'one'],
        ['x-b', 'two'],
        ['x-octets', fromBytes(Uint8Array.of(0xff, 0x41))],
      ],
      body: Uint8Array.of(0, 255, 13, 10),
    }));
    const answer = await raw(port, latin1('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'));
    const text = answer.toString('latin1');
    expect(text).toMatch(/^HTTP\/1\.1 418 /);
    expect(text).toContain('x-b: one\r\nx-b: two\r\nx-octets: \xffA\r\n');
    expect(text).toContain('content-length: 4\r\n');
    expect(text.endsWith('\r\n\r\n\x00\xff\r\n')).toBe(true);
  });

  it('refuses octets beyond ASCII in a target, which the server’s parser does not let through', async () => {
    const port = await start(() => ({ status: 200, headers: [], body: new Uint8Array(0) }));
    const target = '/a\xc3\xbc/\xff?k=\xe9';
    const answer = await raw(port, latin1(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`));
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('says itself how long a body is and how the connection goes on', async () => {
    const headers: [string, string][] = [
      ['content-length', '1'],
      ['transfer-encoding', 'chunked'],
      ['connection', 'upgrade'],
    ];
    const port = await start(() => ({ status: 200, headers, body: Uint8Array.of(65, 66, 67) }));
    const answer = await fetch(`http://127.0.0.1:${port}/x`);
    expect([answer.status, await answer.text()]).toEqual([200, 'ABC']);
  });

  it('carries large bodies both ways', async () => {
    const large = Uint8Array.from({ length: 5_000_000 }, (_, at) => (at * 31) & 0xff);
    const port = await start(({ body }) => ({ status: 200, headers: [], body }));
    const answer = await fetch(`http://127.0.0.1:${port}/x`, { method: 'POST', body: large });
    expect(answer.headers.get('content-length')).toBe('5000000');
    expect(Buffer.from(await answer.arrayBuffer()).equals(large)).toBe(true);
    // A client that goes away in the middle keeps nobody else waiting.
    const leaving = await fetch(`http://127.0.0.1:${port}/x`, { method: 'POST', body: large });
    await leaving.body!.cancel();
    const next = await fetch(`http://127.0.0.1:${port}/x`, { method: 'POST', body: 'abc' });
    expect(await next.text()).toBe('abc');
  });

  it('refuses a body that is too large while it is being sent, and before where its length is told', async () => {
    let asked = 0;
    const port = await start(() => ({ status: (asked++, 200), headers: [], body: new Uint8Array(0) }));
    let sent = 0;
    const socket = connect(port, '127.0.0.1');
    const refused = new Promise<string>((resolve, reject) => {
      socket.on('data', (part) => resolve(part.toString('latin1')));
      socket.on('error', reject);
    });
    const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.write('POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    const piece = Buffer.concat([latin1('100000\r\n'), Buffer.alloc(1 << 20, 1), latin1('\r\n')]);
    let answer: string | undefined;
    void refused.then((text) => (answer = text)).catch(() => {});
    // Never ends by itself.
    while (answer === undefined && sent < 1 << 29) {
      sent += 1 << 20;
      await new Promise((resolve) => socket.write(piece, resolve));
    }
    socket.on('error', () => {});
    expect(await refused).toMatch(/^HTTP\/1\.1 413 [^]*"code":"body-too-large"/);
    expect(sent).toBeGreaterThan(MAX_BODY);
    expect(sent).toBeLessThan(MAX_BODY * 2);
    // Nor is it read on and on.
    await ended;

    const told = `Content-Length: ${MAX_BODY + 1}\r\n`;
    for (const more of ['', 'Expect: 100-continue\r\n']) {
      const early = connect(port, '127.0.0.1', () =>
        early.write(`POST /x HTTP/1.1\r\nHost: a\r\n${told}${more}\r\n`),
      );
      const text = await new Promise<string>((resolve) =>
        early.once('data', (part) => resolve(part.toString())),
      );
      expect(text).toMatch(/^HTTP\/1\.1 413 /);
      early.destroy();
    }
    expect(asked).toBe(0);
  });

  it('breaks off an answer of which less came than was announced', async () => {
    bridge = new Bridge();
    pageSide = await servePage(new Map(), bridge.route);
    const { origin } = pageSide;
    const requests = (await fetch(`${origin}/bridge/requests`)).body!.getReader();
    const port = await bridge.listen(0);
    const asking = fetch(`http://127.0.0.1:${port}/x`).then((answer) => answer.text());
    asking.catch(() => {});
    const [frame] = new FrameReader<RequestHead>().push((await requests.read()).value!);
    const answer = writeFrame({ id: frame!.head.id, status: 200, headers: [] }, new Uint8Array(100));
    const posted = await fetch(`${origin}/bridge/answers`, { method: 'POST', body: answer.slice(0, -1) });
    expect(posted.status).toBe(400);
    await expect(asking).rejects.toThrow();
  });

  it('answers 503 before the page is there, and 502 for a header that HTTP cannot carry', async () => {
    bridge = new Bridge();
    const early = await fetch(`http://127.0.0.1:${await bridge.listen(0)}/x`);
    expect(early.status).toBe(503);
    await bridge.close();
    const port = await start(() => ({ status: 200, headers: [['x-c', 'a\nb']], body: new Uint8Array(0) }));
    const late = await fetch(`http://127.0.0.1:${port}/x`);
    expect(late.status).toBe(502);
    expect(await late.json()).toMatchObject({ code: 'bad-header' });
  });
});
