/** Messages beyond 32 keys, whose order is that of a hash (messages.md §1.7): every codec gives the same ID back. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { ans104Bytes, decodeAns104 } from '../../../src/codec/ans104.ts';
import { decodeFlat, encodeFlat } from '../../../src/codec/flat.ts';
import { decodeJson, encodeJson } from '../../../src/codec/json.ts';
import { decodeStructured, encodeStructured } from '../../../src/codec/structured.ts';
import { decodeHttp, encodeHttp, type HttpForm, toTabm } from '../../../src/commitment/http.ts';
import { commitHttpsig } from '../../../src/commitment/httpsig.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { EVERY } from '../../../src/commitment/select.ts';
import { verifyMessage } from '../../../src/commitment/verify.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { equalValues } from '../../../src/message/equal.ts';
import { Message } from '../../../src/message/message.ts';
import { Atom, isBinary, type Value } from '../../../src/message/value.ts';
import { lineText, plainKey } from '../arbitraries.ts';

const key = plainKey.filter((name) => !/^(?:body|data|target|anchor)$/.test(name));
const text = lineText.map((value) => value || '-');
const scalar: fc.Arbitrary<Value> = fc.oneof<fc.Arbitrary<Value>[]>(
  { weight: 6, arbitrary: text } as never,
  fc.bigInt({ min: -999_999_999_999_999n, max: 999_999_999_999_999n }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom('true', 'null').map(Atom.of),
);

const keys = (maxLength: number) => fc.uniqueArray(key, { minLength: 31, maxLength, size: 'max' });

function record(inner: fc.Arbitrary<Value>, maxLength: number): fc.Arbitrary<Message> {
  return keys(maxLength).chain((names) =>
    fc
      .array(inner, { minLength: names.length, maxLength: names.length })
      .map((values) => Message.from(names.map((name, index) => [name, values[index]!] as const))),
  );
}

/** 31 to 70 keys, some of them messages of 31 to 40 keys or lists of 31 to 40 values. */
const many = fc
  .tuple(
    record(scalar, 70),
    fc.option(record(scalar, 40), { nil: undefined }),
    fc.option(fc.array(scalar, { minLength: 31, maxLength: 40 }), { nil: undefined }),
  )
  .map(([flat, message, list]) =>
    flat.with([
      ...(message ? [['nested', message] as const] : []),
      ...(list ? [['list', list] as const] : []),
    ]),
  );

/** The same fields as they may come over HTTP: in any order. */
function shuffled(form: HttpForm): HttpForm {
  return { ...form, headers: new Map([...form.headers].reverse()) };
}

const CODECS: Record<string, (message: Message) => Promise<Value>> = {
  'structured@1.0': async (message) => decodeStructured(encodeStructured(message)),
  'flat@1.0': async (message) =>
    decodeStructured(decodeFlat(encodeFlat(await toTabm(message, { bundle: true })))),
  'json@1.0': async (message) => decodeJson(encodeJson(message)),
  'httpsig@1.0 bundled': async (message) => decodeHttp(shuffled(await encodeHttp(message, { bundle: true }))),
  'httpsig@1.0 linked': async (message) => decodeHttp(shuffled(await encodeHttp(message))),
  'ans104@1.0 of 2025': async (message) => item(message, 'big'),
  'ans104@1.0 of 2026': async (message) => item(message, 'little'),
};

async function item(message: Message, endian: 'big' | 'little'): Promise<Value> {
  const tabm = await toTabm(message, { bundle: true });
  if (isBinary(tabm)) throw new Error('A message became a binary.');
  return decodeStructured(decodeAns104(ans104Bytes(tabm, { endian })));
}

describe.each(Object.entries(CODECS))('%s', (name, carry) => {
  it('keeps content and ID', async () => {
    await fc.assert(
      fc.asyncProperty(many, async (message) => {
        const back = (await carry(message)) as Message;
        if (name !== 'httpsig@1.0 linked') expect(equalValues(back, message)).toBe(true);
        expect(messageId(back)).toBe(messageId(message));
      }),
      { numRuns: 8 },
    );
  });
});

describe('signed', () => {
  let wallet: RsaWallet;
  beforeAll(async () => {
    wallet = await RsaWallet.generate();
  }, 60_000);

  it.each([
    ['httpsig@1.0', true],
    ['httpsig@1.0', false],
    ['json@1.0', true],
  ])('%s, bundle %s', async (codec, bundle) => {
    await fc.assert(
      fc.asyncProperty(many, async (message) => {
        const committed = await commitHttpsig(message, wallet, { bundle });
        const back = (await (codec === 'json@1.0'
          ? CODECS[codec]!(committed)
          : CODECS[`${codec} ${bundle ? 'bundled' : 'linked'}`]!(committed))) as Message;
        expect(messageId(back, 'signed')).toBe(messageId(committed, 'signed'));
        expect(await verifyMessage(back, EVERY)).toBe(true);
        const [changed] = [...message].find(([, value]) => typeof value === 'string') ?? [];
        if (changed) expect(await verifyMessage(back.with({ [changed]: 'x'.repeat(50) }), EVERY)).toBe(false);
      }),
      { numRuns: 3 },
    );
  });
});
