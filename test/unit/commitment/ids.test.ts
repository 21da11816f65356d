/** IDs and signature bases that were recorded from a reference node (messages.md §16). */
import { describe, expect, it } from 'vitest';
import { toBase64Url } from '../../../src/base/bytes.ts';
import { encodeHttpsig } from '../../../src/codec/httpsig.ts';
import { encodeStructuredMessage } from '../../../src/codec/structured.ts';
import { commitmentsOf } from '../../../src/commitment/commitment.ts';
import { commitHttpsig } from '../../../src/commitment/httpsig.ts';
import { combineIds, hashIds, messageId } from '../../../src/commitment/id.ts';
import { linkify } from '../../../src/commitment/link.ts';
import { componentsOf, signatureBase } from '../../../src/commitment/signature-base.ts';
import { hmacSha256 } from '../../../src/crypto/hmac.ts';
import { Message } from '../../../src/message/message.ts';
import { Link } from '../../../src/message/value.ts';
import type { Value } from '../../../src/message/value.ts';

const message = Message.of;
const PARAMETERS = ';alg="hmac-sha256";keyid="constant:ao"';
const CONSTANT = message({ type: 'hmac-sha256', keyid: 'constant:ao' });
const LONG_ID = 'KPzA9jjXbcmApVKFmxQSWQ2jjgAr1RhaDISQsL2etsg';

function base(value: Message): string {
  const tabm = encodeStructuredMessage(linkify(value));
  return new TextDecoder().decode(signatureBase(componentsOf(tabm), CONSTANT));
}

function range(count: number): bigint[] {
  return Array.from({ length: count }, (_, i) => BigInt(i + 1));
}

const forty = message(Object.fromEntries(range(40).map((n) => [`k${n}`, 'v'])));

describe('unsigned IDs', () => {
  const vectors: [string, Value, string][] = [
    ['text', message({ a: 'b' }), 'qoKsl5XJIjkL7QIfUXNplkdh71dTOV1mUtP3b4WlzMk'],
    ['nothing', message({}), 'TWaabU6nSWpn7zPaiWSd9gQkfNwa1t3onrDRNB-bFiI'],
    ['an integer', message({ a: 1n }), 'Fw6WjtgZ_dz5YcW1hMFCwE98adFvWtAOyVbl6K3CrDA'],
    ['a body', message({ body: 'hello' }), '8el5xGiBErxjRiqRE7ciIYOhr_hRsQ_z_sGxxm_t-KA'],
    ['an empty body', message({ body: '' }), 'feQToGkJiFe7m-SVxUaFdsBHBCxNPZ1dcyblyPvLu74'],
    ['data', message({ data: 'hello' }), 'jJmrV4xqmO4sEHuW8g6Uy9o5XCLEQnpa2G8g36v-NJU'],
    [
      'data and body',
      message({ data: 'hello', zeta: 'z', body: 'x' }),
      'D4o1cCLeRuRJ4Fr6drNVY4UcdFRObUkT5KnzqTGkiAM',
    ],
    [
      'derived names',
      message({ path: '/x', method: 'GET', authority: 'h', zz: '1', status: '200' }),
      'DrO0kNBX5xG9G1o2H8iNRKrhlqv1kZSl8bYYHtUXAf4',
    ],
    ['a nested message', message({ m: { x: '1' } }), 'p3ORRjk917-EufJAHfunxbRRqcxvPCHQL1XSI1sZaCo'],
    ['emptiness', message({ e: {}, v: '', l: [] }), 'Y8E5OVL2fSk5clzn5VGjSriecWcsfqMs7ZpljEx2So8'],
    ['a list', message({ l: [1n, 2n, 3n] }), '-GPdhbqM1YjsYXa6C9V1qTbW-GOZl_Z1Oalo0BrUeVU'],
    ['a list alone', [1n, 2n, 3n], 'OpNCVoptL8nHhTbjVQHwHuVAy0AFuy5qwJN-UjaLHEU'],
    ['an empty list', [], 'KPzA9jjXbcmApVKFmxQSWQ2jjgAr1RhaDISQsL2etsg'],
    ['a long list', range(50), 'JYEk2KiV4XkcwEyhJW0lwCRkhoCFESTvycmxPiD5u_E'],
    ['forty keys', forty, 'KYFD9M1wxYZyb7ZO9zWUclYir6IO1Z4lKq1IyP4n2gs'],
    ['a signature', message({ signature: 'AAAA', a: 'b' }), 'O_48kriISLQx4K_TlHJDvyB3kV8A413IWlN1M_ARIMU'],
    ['an ID for a key', message({ [LONG_ID]: 'v' }), 'um089LrqntAYsUPUMRZu1t_7ize36uYoKwUhRSR7aeU'],
    ['a float', message({ f: 1.5 }), 'XtlW67W1Qr5NzyC5i7xGPBTMiFCX-RwhusYuMuHPwLM'],
    ['a line feed', message({ a: 'x\ny' }), '46GvIl89tb5p3Hmkleqgk4SBfNDobuLQ2AJ0JRjM0i0'],
    ['capitals', message({ Upper: 't', b: 'x' }), 'alLvTuzVPuujBMjwBpqzOWVjgnVpLcApjE7e_u71p50'],
    [
      'a long value',
      message({ a: '1', big: 'x'.repeat(5000) }),
      'tmH7RKp0ecyXX23HfCOD6Vv0as1BgYCT6PQU0uOMa-M',
    ],
    [
      'a content-type',
      message({ 'content-type': 'text/plain', body: 't' }),
      'Pmij4L3mTshNhbA7M2bPtLRpLr2-Dlw_tr3inkUkwr4',
    ],
    ['a binary', 'abc', 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0'],
    ['typed data', message({ data: 5n }), 'MvNQDTPAaXZdIrX1lY9yY6hmZVnYq5d8w3amr1DE1FA'],
    [
      'private keys',
      message({ m: { a: 1n, 'private-x': 1n } }),
      'v7kNwlF4M9G7wHDGRIJH-yHx-arXnIJ6iIAP1KTaHRE',
    ],
  ];
  it.each(vectors)('%s', (_, value, id) => expect(messageId(value)).toBe(id));

  it('are those of the child, whether it is there, linked or named', () => {
    const child = message({ x: '1' });
    const id = messageId(child);
    const parent = messageId(message({ m: child }));
    expect(messageId(message({ m: new Link(id) }))).toBe(parent);
    expect(messageId(message({ 'm+link': id }))).toBe(parent);
  });

  it('are the same for text and its octets', () => {
    expect(messageId(message({ a: new TextEncoder().encode('b') }))).toBe(messageId(message({ a: 'b' })));
  });
});

describe('signature bases', () => {
  it.each([
    [message({ a: 'b' }), `"a": b\n"@signature-params": ("a")`],
    [message({}), '\n"@signature-params": ()'],
    [message({ a: 1n }), '"a": 1\n"ao-types": a="integer"\n"@signature-params": ("a" "ao-types")'],
    [
      message({ body: '' }),
      '"content-digest": sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\n"@signature-params": ("content-digest")',
    ],
    [
      message({ data: 'hello' }),
      '"ao-body-key": data\n"content-digest": sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:\n"@signature-params": ("ao-body-key" "content-digest")',
    ],
    [
      message({ path: '/x', method: 'GET', authority: 'h', zz: '1', status: '200' }),
      '"authority": h\n"method": GET\n"path": /x\n"status": 200\n"zz": 1\n"@signature-params": ("@authority" "@method" "@path" "status" "zz")',
    ],
    [
      message({ signature: 'AAAA', a: 'b' }),
      '"a": b\n"signature": comm-cj6ayishokeehutfufiqhhss0gxhzrumdhlkvxd4fhw=:AAAA:\n"signature-input": comm-cj6ayishokeehutfufiqhhss0gxhzrumdhlkvxd4fhw=();alg="";keyid=""\n"@signature-params": ("a" "signature" "signature-input")',
    ],
    [message({ [LONG_ID]: 'v' }), `"ao-ids": ${LONG_ID}="v"\n"@signature-params": ("ao-ids")`],
  ])('%#', (value, expected) => expect(base(value)).toBe(expected + PARAMETERS));

  it('are keyed with the older constant too', () => {
    const older = message({ type: 'hmac-sha256', keyid: 'ao' });
    const bytes = signatureBase(componentsOf(message({ a: 'b' })), older);
    const mac = hmacSha256(new TextEncoder().encode('ao'), bytes);
    expect(toBase64Url(mac)).toBe('UfSqKA58Hwk99Jg5fsYGY4iKDfnnUAW9MQdMv2-Fw40');
  });

  it('have their components in hash order from 33 on', () => {
    const { names } = componentsOf(forty);
    const first = ['k3', 'k34', 'k28', 'k39', 'k12', 'k37', 'k30', 'k19', 'k25', 'k1'];
    expect(names.slice(0, 10)).toEqual(first);
    expect(names.slice(-3)).toEqual(['k2', 'k23', 'k32']);
  });
});

async function hmacOf(value: Message, request: object): Promise<string> {
  const committed = await commitHttpsig(value, undefined, { type: 'unsigned', ...request });
  return [...commitmentsOf(committed).keys()].join();
}

describe('HMAC commitments', () => {
  it.each([
    [message({ a: 1n }), 'joWLxJyhw8_p4unLAvTvpy6gewhrGucIR96awT_O1C4'],
    [message({ m: { x: '1' } }), 'wgVCkUQJlNc9V-wSjpdfR8llyJa7KXDxNENvqycG1ZU'],
    [message({ m: { x: 1n }, body: 'B', z: '1' }), 'ElHJ9I88JBJsqoEa-_Jfg4hfVgkpj7NKqK5X_f0UtmY'],
    [message({ l: [1n, 2n, 3n] }), 'shkleEarpkc3grEazI1cEftdVWlMIUNDlrDqTOP0bQk'],
    [message({ e: {}, v: '', l: [] }), 'YY9_LMtbhhCuLlS6L78lF2X4G9gWHLYUwcyEPplBG6w'],
    [message({ data: { x: '1' }, k: '1' }), '0CfgqMQ4y_MLjBJtbvOpXnEDXSDzzfUBLeVwcllJ-oU'],
  ])('over whole content %#', async (value, id) => expect(await hmacOf(value, { bundle: true })).toBe(id));

  it.each([
    [{ committed: ['a'] }, message({ a: 1n, b: '2' }), 'z3vwVvCE7AFo58_pb6AkT5VCNON3r4Y_6aiRg46otN4'],
    [
      { committed: ['c', 'a'] },
      message({ a: '1', b: '2', c: '3' }),
      'nN5stACnthIGLAiVoB8QjicYYEJKvLO2Y7MgwSO6QyI',
    ],
    [{ keyid: 'constant:foo' }, message({ a: 'b' }), 'AUDv9AKSX9OeZocf0smoSFPIzTRhcy4uoGA21PjAevU'],
    [
      { scheme: 'secret', secret: new TextEncoder().encode('test-secret') },
      message({ a: 'b' }),
      'C7WRbTn4qGaa6KGZ60R-xUZALoIxIHsx_7TB88UZuBg',
    ],
  ])('as asked for %#', async (request, value, id) => expect(await hmacOf(value, request)).toBe(id));
});

describe('several IDs together', () => {
  const two = ['YL2qUih5oAQfHp69HE3OjoshtJNHJtsOrhlRbqVlCuQ', 'xu0DGbxqlNHm0x2EYVopZ0DNGVu-yfRaBiANEFSioGI'];
  it('are their sum', () => {
    expect(combineIds(two)).toBe('J6qta-TkNNYF8bxBfaf39cvuze8F8M9otDlefvoHq0Y');
    expect(combineIds([...two, 'tHo0GSnQ81e2osuMb6Aui37XsJgrsbQMVe7wGhgb1Lo'])).toBe(
      '3CThhQ61KC28lIfN7UgmgUrGfocxooN1CihOmRIjgAA',
    );
  });
  it('have no sum if one of them has 42 characters', () => {
    expect(() => combineIds(['a'.repeat(42)])).toThrow(expect.objectContaining({ code: 'bad-id' }));
  });
  it('in the newer form do not depend on their order', () => {
    expect(hashIds(two)).toBe(hashIds([...two].reverse()));
  });
});

describe('what is remembered', () => {
  it('does not outlive a change', () => {
    const before = message({ a: 'b' });
    const id = messageId(before);
    expect(messageId(before.with({ a: 'c' }))).not.toBe(id);
    expect(messageId(before.withPrivate({ x: 1 }))).toBe(id);
  });
  it('is the unsigned commitment that is there, not computed anew', async () => {
    const committed = await commitHttpsig(message({ a: 'b' }), undefined, { type: 'unsigned' });
    expect(messageId(committed.with({ a: 'c' }))).toBe(messageId(committed));
  });
});

it('encodes the worked multipart example byte for byte', () => {
  const form = encodeHttpsig(encodeStructuredMessage(message({ m: { x: '1' } })));
  const boundary = 'LoFTvcOv-T2oVwc6i3cjrfRxZJISNEWh8GTq875l7uQ';
  expect(new TextDecoder().decode(form.body)).toBe(
    `--${boundary}\r\ncontent-disposition: form-data;name="m"\r\nx: 1\r\n--${boundary}--`,
  );
  expect(form.headers.get('content-digest')).toBe('sha-256=:YFi1+ZIetR4TWgFhLGyr+Kfz4RGtNluzS7Ik8F/zMv0=:');
});
