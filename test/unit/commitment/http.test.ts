/** Signed messages over HTTP and through JSON: the same ID on the other side, and still valid. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeJson, encodeJson } from '../../../src/codec/json.ts';
import { commitmentsOf } from '../../../src/commitment/commitment.ts';
import { commitHttpsig } from '../../../src/commitment/httpsig.ts';
import {
  decodeHttp,
  decodeHttpMessage,
  encodeHttp,
  type HttpForm,
  httpForm,
} from '../../../src/commitment/http.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { EVERY } from '../../../src/commitment/select.ts';
import { checkMessage, verifyMessage } from '../../../src/commitment/verify.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { fromBytes } from '../../../src/base/bytes.ts';
import { equalValues } from '../../../src/message/equal.ts';
import { Message } from '../../../src/message/message.ts';
import { Link, type Binary } from '../../../src/message/value.ts';
import { lineText, plainKey, textMessage } from '../arbitraries.ts';

const message = Message.of;
const failure = expect.objectContaining({ name: 'AoError' }) as Error;
let wallet: RsaWallet;
beforeAll(async () => {
  wallet = await RsaWallet.generate();
}, 60_000);

function change(form: HttpForm, changes: Record<string, Binary | undefined>): HttpForm {
  const headers = new Map(form.headers);
  for (const [name, value] of Object.entries(changes))
    if (value === undefined) headers.delete(name);
    else headers.set(name, value);
  return { headers, body: form.body };
}

describe('a signed message', () => {
  const value = message({ path: '/x', n: 1n, m: { a: ['b', 2n] }, body: 'text' });

  it.each([
    [false, false],
    [false, true],
    [true, true],
  ])('committed bundled: %s, sent bundled: %s, arrives as it was', async (committed, sent) => {
    const signed = await commitHttpsig(value, wallet, { bundle: committed });
    const back = decodeHttpMessage(await encodeHttp(signed, { bundle: sent }));
    expect(messageId(back, 'signed')).toBe(messageId(signed, 'signed'));
    expect(messageId(back)).toBe(messageId(signed));
    expect(await verifyMessage(back, EVERY)).toBe(true);
    if (sent) expect(equalValues(back.without('commitments'), value)).toBe(true);
    else expect(back.get('m')).toBeInstanceOf(Link);
  });

  it('carries the hashpath that it was signed with', async () => {
    const signed = await commitHttpsig(value.withPrivate({ hashpath: 'a/b' }), wallet);
    const form = await encodeHttp(signed);
    expect(form.headers.get('signature-input')).toContain(';tag="a/b"');
    const back = decodeHttpMessage(form);
    expect(await verifyMessage(back, EVERY)).toBe(true);
    const input = form.headers.get('signature-input') as string;
    const retagged = change(form, { 'signature-input': input.replace('tag="a/b"', 'tag="a/c"') });
    expect(await verifyMessage(decodeHttpMessage(retagged))).toBe(false);
  });

  it('has members of its two fields in any order, and @ before any name', async () => {
    const form = await encodeHttp(await commitHttpsig(message({ a: 'b', method: 'GET' }), wallet));
    const input = form.headers.get('signature-input') as string;
    const [one, two] = input.split(', comm-') as [string, string];
    const turned = change(form, { 'signature-input': `comm-${two}, ${one}` });
    expect(await verifyMessage(decodeHttpMessage(turned), EVERY)).toBe(true);
    const at = change(form, { 'signature-input': input.replaceAll('"method"', '"@method"') });
    expect(await verifyMessage(decodeHttpMessage(at), EVERY)).toBe(true);
  });

  it("is nobody's once a field is gone or has another label", async () => {
    const form = await encodeHttp(await commitHttpsig(message({ a: 'b' }), wallet));
    for (const changed of [
      change(form, { signature: undefined }),
      change(form, { 'signature-input': undefined }),
      change(form, { signature: 'sig1=:AAAA:' }),
    ])
      expect(commitmentsOf(decodeHttpMessage(changed)).size).toBe(0);
  });

  it.each([
    ['signature-input', 'comm-x=()'],
    ['signature-input', 'comm-x=("a");alg=5'],
    ['signature-input', 'comm-x=(5);alg="a"'],
    ['signature-input', 'comm-x="a"'],
    ['signature-input', 'comm-y=();alg="a"'],
    ['signature', 'comm-x="a"'],
    ['signature', 'comm-x=('],
  ])('is refused with the field %s: %s', (name, text) => {
    const fields = new Map([
      ['signature', 'comm-x=:AAAA:'],
      ['signature-input', 'comm-x=("a");alg="hmac-sha256";keyid="x"'],
      [name, text],
    ]);
    expect(() => decodeHttp({ headers: fields })).toThrow(failure);
  });

  it('is refused by a wrong digest only for who asks, and fails by its content always', async () => {
    const form = await encodeHttp(await commitHttpsig(message({ body: 'text' }), wallet));
    const wrong = change(form, { 'content-digest': 'sha-256=:AAAA:' });
    expect(await verifyMessage(decodeHttpMessage(wrong), EVERY)).toBe(true);
    expect(() => decodeHttp(wrong, { checkDigest: true })).toThrow(failure);
    const other = { headers: form.headers, body: new TextEncoder().encode('next') };
    expect(await verifyMessage(decodeHttpMessage(other))).toBe(false);
  });

  it('takes repeated headers in any case as one field', () => {
    const form = httpForm([
      ['A', '1'],
      ['a', '2'],
      ['Cookie', 'x'],
      ['cookie', 'y'],
    ]);
    expect(Object.fromEntries(form.headers)).toEqual({ a: '1, 2', cookie: 'x; y' });
  });
});

describe('any message', () => {
  // Nested values that travel in a body lose line breaks, and an empty value that is alone in its part.
  it('keeps its ID through JSON when it is committed', async () => {
    await fc.assert(
      fc.asyncProperty(textMessage, fc.boolean(), async (value, bundle) => {
        const committed = await commitHttpsig(value, undefined, { type: 'unsigned', bundle });
        const back = decodeJson(encodeJson(committed)) as Message;
        expect(messageId(back)).toBe(messageId(committed));
        expect(await verifyMessage(back, EVERY)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('verifies no more when one bit of it is changed', async () => {
    const flat = fc.dictionary(plainKey, lineText, { minKeys: 1, maxKeys: 8 });
    await fc.assert(
      fc.asyncProperty(flat, fc.nat(), fc.nat(), async (record, which, where) => {
        const committed = await commitHttpsig(message(record), undefined, { type: 'unsigned' });
        const keys = Object.keys(record);
        const key = keys[which % keys.length]!;
        const bytes = new TextEncoder().encode(record[key]);
        fc.pre(bytes.length > 0);
        bytes[where % bytes.length]! ^= 1 << (where % 8);
        const checked = await checkMessage(committed.with({ [key]: bytes }), EVERY);
        expect(checked.map(({ verdict }) => verdict.valid)).toEqual([false]);
      }),
      { numRuns: 100 },
    );
  });

  it('reads the same from the wire as it was written, and signed', async () => {
    const flat = fc.dictionary(plainKey, lineText, { maxKeys: 40 });
    await fc.assert(
      fc.asyncProperty(flat, async (record) => {
        const committed = await commitHttpsig(message(record), undefined, { type: 'unsigned' });
        const back = decodeHttpMessage(await encodeHttp(committed, { bundle: true }));
        expect(equalValues(back, committed)).toBe(true);
        expect(await verifyMessage(back, EVERY)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

it('sends a binary as a body alone', async () => {
  const form = await encodeHttp('abc');
  expect(form.headers.size).toBe(0);
  expect(fromBytes(form.body!)).toBe('abc');
});
