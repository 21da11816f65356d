/** Requests signed as JavaScript clients sign them: RFC 9421, labels of their own, the bare modulus as key ID. */
import { beforeAll, describe, expect, it } from 'vitest';
import { fromBytes, toBase64, toBase64Url, toBytes } from '../../../src/base/bytes.ts';
import { contentDigest } from '../../../src/codec/httpsig.ts';
import { decodeHttpMessage, encodeHttp } from '../../../src/commitment/http.ts';
import { committers } from '../../../src/commitment/select.ts';
import { verifyMessage } from '../../../src/commitment/verify.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { handle } from '../../../src/node/http.ts';
import { toSingleton } from '../../../src/node/http/request.ts';
import type { HttpRequest } from '../../../src/resolver/context.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { testNode } from '../../conformance/node.ts';

let context: NodeContext;
let wallet: RsaWallet;

beforeAll(async () => {
  context = await testNode();
  wallet = await RsaWallet.generate();
}, 60_000);

interface Options {
  readonly target?: string;
  readonly body?: string;
  readonly keyid?: string;
  readonly label?: string;
  readonly unsorted?: boolean;
  /** Derived components, with the values that are signed. */
  readonly derived?: Readonly<Record<string, string>>;
}

async function signed(fields: Record<string, string>, options: Options = {}): Promise<HttpRequest> {
  const { target = '/~message@1.0/k', keyid = toBase64Url(wallet.publicKey), label = 'http-sig-1' } = options;
  const body = toBytes(options.body ?? '');
  const all = body.length ? { ...fields, 'content-digest': contentDigest(body) } : fields;
  const sorted = Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1));
  const named = [
    ...(options.unsorted ? Object.entries(all) : sorted),
    ...Object.entries(options.derived ?? {}),
  ];
  const input = `(${named.map(([name]) => `"${name}"`).join(' ')});alg="rsa-pss-sha512";keyid="${keyid}"`;
  const lines = named.map(([name, value]) => `"${name}": ${value}\n`).join('');
  const signature = await wallet.sign(toBytes(`${lines}"@signature-params": ${input}`), 'rsa-pss-sha512');
  return {
    method: 'POST',
    target,
    headers: [
      ['host', 'node.example'],
      ...Object.entries(all),
      ['signature', `${label}=:${toBase64(signature)}:`],
      ['signature-input', `${label}=${input}`],
    ],
    body,
  };
}

const ask = async (request: HttpRequest) => {
  const { status, body } = await handle(request, context);
  return [status, fromBytes(body)];
};
const change = (request: HttpRequest, name: string, value: string): HttpRequest => ({
  ...request,
  headers: request.headers.map(([key, old]) => [key, key === name ? value : old] as const),
});

describe('a request signed by a client', () => {
  it('is a signed message, that keeps its signature when it travels on', async () => {
    const request = await signed({ k: 'v', data: 'some data', authority: 'me' });
    const message = await toSingleton(request, context);
    expect(committers(message)).toEqual([wallet.address]);
    expect(message.private['signers']).toEqual([wallet.address]);
    expect(await verifyMessage(message)).toBe(true);
    const sent = message.without('method', 'path', 'accept', 'accept-bundle');
    for (const bundle of [true, false]) {
      const again = decodeHttpMessage(await encodeHttp(sent, { bundle }));
      expect(committers(again)).toEqual([wallet.address]);
      expect(await verifyMessage(again)).toBe(true);
      expect(await verifyMessage(again.with({ data: 'other data' }))).toBe(false);
    }
  });

  it('keeps only what is covered', async () => {
    const request = await signed({ k: 'v' });
    const more = { ...request, headers: [...request.headers, ['loose', 'x'] as const] };
    expect(await ask(more)).toEqual([200, 'v']);
    expect((await ask({ ...more, target: '/~message@1.0/loose' }))[0]).toBe(404);
  });

  it('may cover the body and what is derived from the request', async () => {
    const target = '/~message@1.0/body?x=1';
    const derived = {
      '@method': 'POST',
      '@path': '/~message@1.0/body',
      '@query': '?x=1',
      '@authority': 'node.example',
    };
    expect(await ask(await signed({ k: 'v' }, { body: 'the body', target, derived }))).toEqual([
      200,
      'the body',
    ]);
    const wrong = await signed({ k: 'v' }, { body: 'x', target, derived: { ...derived, '@method': 'GET' } });
    expect((await ask(wrong))[0]).toBe(400);
  });

  it('is refused where the signature does not hold', async () => {
    const request = await signed({ k: 'v' });
    expect(await ask(request)).toEqual([200, 'v']);
    expect((await ask(change(request, 'k', 'w')))[0]).toBe(400);
    const other = toBase64Url((await RsaWallet.generate()).publicKey);
    const input = request.headers.find(([name]) => name === 'signature-input')![1];
    expect(
      (await ask(change(request, 'signature-input', input.replace(/keyid="[^"]*"/, `keyid="${other}"`))))[0],
    ).toBe(400);
    for (const broken of ['http-sig-1', 'http-sig-1=()', 'http-sig-2=("k");alg="x"', 'http-sig-1=("k" "no")'])
      expect((await ask(change(request, 'signature-input', broken)))[0]).toBe(400);
    expect((await ask(change(request, 'signature', 'http-sig-1=("k")')))[0]).toBe(400);
    const body = await signed({ k: 'v' }, { body: 'one' });
    expect((await ask({ ...body, body: toBytes('two') }))[0]).toBe(400);
    for (const keyid of ['short', 'publickey:AAAA', 'constant:ao', toBase64Url(new Uint8Array(64))])
      expect((await ask(await signed({ k: 'v' }, { keyid })))[0]).toBe(400);
  });

  it('counts as unsigned where the message it makes reads otherwise', async () => {
    // An atom in quotes is an atom; what was signed is the quoted text.
    const request = await signed({ 'ao-types': 'b="atom"', b: '"true"', k: 'v' });
    const message = await toSingleton(request, context);
    expect(message.has('commitments')).toBe(false);
    expect(message.private['signers']).toEqual([]);
    expect(await ask(request)).toEqual([200, 'v']);
    // The order of names is lost on the way, so only the one that clients use can be kept.
    const unsorted = await toSingleton(await signed({ z: '1', a: '2' }, { unsorted: true }), context);
    expect(unsorted.has('commitments')).toBe(false);
  });

  it('is passed over under a label that is not such a client’s', async () => {
    const message = await toSingleton(await signed({ k: 'v' }, { label: 'sig1' }), context);
    expect(message.has('commitments')).toBe(false);
  });
});
