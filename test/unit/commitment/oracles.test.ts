/**
 * The same bytes by other hands, where the network's form is that of the standards: RFC 9421 signatures by
 * `http-message-signatures`, structured fields by `structured-headers`.
 */
import { constants, createHmac, createPublicKey, verify as nodeVerify } from 'node:crypto';
import fc from 'fast-check';
import { httpbis } from 'http-message-signatures';
import { parseDictionary as otherDictionary, Token } from 'structured-headers';
import { beforeAll, describe, expect, it } from 'vitest';
import { toBase64Url } from '../../../src/base/bytes.ts';
import {
  type BareItem,
  isInnerList,
  type Item,
  parseDictionary,
} from '../../../src/codec/structured-fields.ts';
import { commitHttpsig } from '../../../src/commitment/httpsig.ts';
import { decodeHttpMessage, encodeHttp, httpForm } from '../../../src/commitment/http.ts';
import { publicKeyid, resolveKeyid } from '../../../src/commitment/keyid.ts';
import { EVERY } from '../../../src/commitment/select.ts';
import { checkMessage } from '../../../src/commitment/verify.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { Message } from '../../../src/message/message.ts';

let wallet: RsaWallet;
beforeAll(async () => {
  wallet = await RsaWallet.generate();
}, 60_000);

/** Fields that both forms treat alike: no derived components, values that need no trimming. */
const headers = fc.dictionary(
  fc
    .stringMatching(/^[a-z][a-z0-9-]{1,12}$/)
    .filter(
      (name) =>
        !/^(?:priv|signature|content-|ao-|body|data$|path$|method$|authority$|scheme$|query)/.test(name),
    ),
  fc.stringMatching(/^[!-~](?:[ -~]{0,30}[!-~])?$/),
  { minKeys: 1, maxKeys: 12 },
);

describe('http-message-signatures', () => {
  async function accepts(fields: Record<string, string>): Promise<boolean | null> {
    return httpbis.verifyMessage(
      {
        all: true,
        keyLookup: ({ keyid, alg }) =>
          Promise.resolve({
            verify: (data: Buffer, signature: Buffer) => {
              const { key } = resolveKeyid(keyid as string, alg as string);
              if (alg === 'hmac-sha256')
                return Promise.resolve(createHmac('sha256', key).update(data).digest().equals(signature));
              const jwk = { kty: 'RSA', n: toBase64Url(key), e: 'AQAB' };
              const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 };
              const publicKey = { key: createPublicKey({ key: jwk, format: 'jwk' }), ...options };
              return Promise.resolve(nodeVerify('sha512', data, publicKey, signature));
            },
          }),
      },
      { status: 200, headers: fields },
    );
  }

  it('accepts what we sign, and nothing that was changed', async () => {
    await fc.assert(
      fc.asyncProperty(headers, async (record) => {
        const form = await encodeHttp(await commitHttpsig(Message.of(record), wallet));
        const fields = Object.fromEntries(form.headers) as Record<string, string>;
        expect(await accepts(fields)).toBe(true);
        const [name] = Object.keys(record) as [string];
        expect(await accepts({ ...fields, [name]: `${record[name]}x` })).toBe(false);
      }),
      { numRuns: 10 },
    );
  });

  it('makes what we accept', async () => {
    await fc.assert(
      fc.asyncProperty(headers, async (record) => {
        const signed = await httpbis.signMessage(
          {
            key: {
              id: publicKeyid(wallet.publicKey),
              alg: 'rsa-pss-sha512',
              sign: async (data) => Buffer.from(await wallet.sign(data, 'rsa-pss-sha512')),
            },
            name: 'comm-other',
            fields: Object.keys(record).sort(),
            params: ['alg', 'keyid'],
          },
          { status: 200, headers: record },
        );
        const message = decodeHttpMessage(httpForm(Object.entries(signed.headers as Record<string, string>)));
        const checked = await checkMessage(message, EVERY);
        expect(checked.map(({ verdict }) => verdict)).toEqual([{ valid: true }]);
      }),
      { numRuns: 10 },
    );
  });
});

describe('structured-headers', () => {
  function plain(bare: BareItem): unknown {
    switch (bare.kind) {
      case 'token':
        return `token ${bare.text}`;
      case 'bytes':
        return `bytes ${toBase64Url(bare.bytes)}`;
      case 'integer':
        return Number(bare.value);
      case 'decimal':
        return Number(bare.text);
      case 'boolean':
        return bare.value;
      case 'string':
        return bare.text;
    }
  }
  function other(bare: unknown): unknown {
    if (bare instanceof Token) return `token ${bare.toString()}`;
    return bare instanceof ArrayBuffer ? `bytes ${toBase64Url(new Uint8Array(bare))}` : bare;
  }
  const ours = (one: Item) => [plain(one.bare), [...one.parameters].map(([key, bare]) => [key, plain(bare)])];
  const theirs = ([bare, parameters]: [unknown, Map<string, unknown>]) => [
    other(bare),
    [...parameters].map(([key, value]) => [key, other(value)]),
  ];

  const key = fc.stringMatching(/^[a-z*][a-z0-9_.*-]{0,6}$/);
  const bare = fc.oneof(
    fc.stringMatching(/^[ !#-[\]-~]{0,8}$/).map((text) => `"${text}"`),
    fc.constantFrom(
      '"\\\\ \\""',
      'tok/en:x',
      '*',
      ':YWI=:',
      '::',
      '?1',
      '?0',
      '-0',
      '12.5',
      '-999999999999999',
      '"',
      '?',
      '1.',
      'é',
      '',
    ),
    fc.integer().map(String),
  );
  const parameters = fc.array(
    fc.tuple(key, bare).map(([name, value]) => `;${name}=${value}`),
    { maxLength: 2 },
  );
  const one = fc.tuple(bare, parameters).map(([value, rest]) => value + rest.join(''));
  const member = fc.oneof(
    one,
    fc.array(one, { maxLength: 3 }).map((items) => `(${items.join(' ')})`),
  );
  const dictionary = fc
    .array(
      fc.oneof(
        fc.tuple(key, member).map(([name, value]) => `${name}=${value}`),
        key,
      ),
      { minLength: 1, maxLength: 4 },
    )
    .chain((members) => fc.constantFrom(', ', ',', ' ,\t').map((comma) => members.join(comma)));

  it('reads every dictionary that is in both dialects as we do', () => {
    fc.assert(
      fc.property(dictionary, (text) => {
        let expected: unknown;
        try {
          expected = [...otherDictionary(text)].map(([name, value]) =>
            Array.isArray(value[0])
              ? [name, value[0].map((inner) => theirs(inner as never)), theirs([0, value[1] as never])[1]]
              : [name, theirs(value as never)],
          );
        } catch {
          expect(() => parseDictionary(text)).toThrow(expect.objectContaining({ name: 'AoError' }));
          return;
        }
        const got = [...parseDictionary(text)].map(([name, value]) =>
          isInnerList(value)
            ? [
                name,
                value.items.map(ours),
                ours({ bare: { kind: 'integer', value: 0n }, parameters: value.parameters })[1],
              ]
            : [name, ours(value)],
        );
        expect(JSON.stringify(got)).toBe(JSON.stringify(expected));
      }),
      { numRuns: 500 },
    );
  });
});
