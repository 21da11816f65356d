/** What verifies and what must not (messages.md §6.9, §13, §14). */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { fromBase64, toBase64, toBase64Url, toBytes } from '../../../src/base/bytes.ts';
import { encodeHttpsig } from '../../../src/codec/httpsig.ts';
import { encodeStructuredMessage } from '../../../src/codec/structured.ts';
import { commitmentsOf, withCommitment } from '../../../src/commitment/commitment.ts';
import { decodeHttpMessage, encodeHttp } from '../../../src/commitment/http.ts';
import { commitHttpsig } from '../../../src/commitment/httpsig.ts';
import { combineIds, hashIds, messageId } from '../../../src/commitment/id.ts';
import { publicKeyid } from '../../../src/commitment/keyid.ts';
import { linkify } from '../../../src/commitment/link.ts';
import { committed, committers, EVERY, SIGNED, withOnlyCommitted } from '../../../src/commitment/select.ts';
import { componentsOf, signatureBase } from '../../../src/commitment/signature-base.ts';
import { checkMessage, verifyMessage } from '../../../src/commitment/verify.ts';
import { sha256 } from '../../../src/crypto/hash.ts';
import { hmacSha256 } from '../../../src/crypto/hmac.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { Message } from '../../../src/message/message.ts';
import { Link, type Value } from '../../../src/message/value.ts';

const message = Message.of;
let alice: RsaWallet;
let eve: RsaWallet;
beforeAll(async () => {
  [alice, eve] = await Promise.all([RsaWallet.generate(), RsaWallet.generate()]);
}, 60_000);

const sign = (value: Message, request = {}) => commitHttpsig(value, alice, request);

async function codes(value: Message): Promise<string[]> {
  const checked = await checkMessage(value, EVERY);
  return checked.flatMap(({ verdict }) => (verdict.valid ? [] : [verdict.code])).sort();
}

/** The one commitment that somebody signed. */
function signedOne(value: Message): [string, Message] {
  const found = [...commitmentsOf(value)].find(([, commitment]) => commitment.has('committer'));
  return found!;
}

function replaceCommitment(value: Message, id: string, changes: Record<string, Value>, newId = id): Message {
  const commitment = commitmentsOf(value).get(id)!;
  const rest = value.with([['commitments', value.message('commitments')!.without(id)]]);
  return withCommitment(rest, newId, commitment.with(changes));
}

describe('a signed message', () => {
  it('verifies by its signer, and carries the HMAC that is its unsigned ID', async () => {
    const value = message({ a: 'b', n: 5n, m: { x: [1n, 2.5, true] } });
    const signed = await sign(value);
    expect(await verifyMessage(signed)).toBe(true);
    expect(await verifyMessage(signed, EVERY)).toBe(true);
    expect(committers(signed)).toEqual([alice.address]);
    expect(messageId(signed)).toBe(messageId(value));
    expect(messageId(signed, 'signed')).toBe(signedOne(signed)[0]);
    expect(committed(signed, SIGNED)).toEqual(['a', 'ao-types', 'm', 'n']);
  });

  it('verifies against the reference vector', async () => {
    const n =
      '71OYVaawae_3GLBXk4RXv4NOLK61WQbVilOZR36h9yTPg5MDG055_jSOUA9qG0xoHwkNwIpr-dD3PrS6WVcYSJXARysZoRuL1jx6bEfVzqzMG5b8emIabhzmd1aQMEu5m9BBgNHzLpnSWD0qp2sUqGFskm-J1mTY-btCwKVKhpObE6JKt-XV813UxqALywe_8flFNiW5XPqI4bXqJfJhjYR9Djl5gporD3eww8J8TlXZde43MeX_B_spCdmxv0kNJ8yivyo6C6KMIRsaCIrXav-yTH_9G7pteYEEekdYwRTaFfq_WOLI_45nnaJjn5f5N1ZjvPmSbaDuGICea_Kf5OLklx2uD6FWjlU3HWv5vHKZSK-gM-Xu-Z8931c8zxmrX_v35ByJS2Mp20KoznpvW_QKY1EN8soTH5f98_sOjzLcGhblK___s6Q-59cWTMT6ijltwTfMjTKR45MnWCNyJ842shju94Ab3yhiBK89RtDAUP3lUZTl4g5NZdnOKdBG9EEiHvGkS8qpvj8deZzAaWgw8fL95Hc_LxlE_zgAvblegmC64YBsqfTo-ZycBnNA6YGx5v3jYcYJVlZMj6Esd1_4cxErDO5VzsQFmzUZlC8_aQJngHYL_Cl5qAVkJy5tEZBYkxFz6qZ_YQlHi6P7NIzeQD9qM4G4TLFGHM5atCc';
    const signature =
      '32lvATcdQkx58SKuIHT-quK1mjFfBwdTH5dOC5AZ8TH2nQcZXsF4MB3WkJlRRZMN3YcNPv0RvfZc9-rXIivNDCjmTvtxPU80BoJ1ySCGb3qb7PdtulrSlMAS89dtxw7QUBo8o0ebyx_iWOKqaY-MnKLkqqIrsQzmmQERlK_-ZVG9w09wbKyiGa_OiPUnx71E9vfjKTg7SOY-mzjr99PCIPaiAcZEIxxdGVo2KH6J4IN5H4rXQVhA1nJbo9gMdPG8KvmrliJqX2X1T9W9156lSyzc3krkS4CGCUEXVZ2bAqHDEFlUbQcpQXJDVGzAjVdYHOBGtoh4eprLU7EcE-atmdErFAsMVtlmGW0pdDaD55Xy7mRdWnry5dzKZKwz5awO-76reAGEXoq7N3UtazixpgUVUJHYoHO-L9oIEs0eXBqDO41YkZH2m7Jq89gGiQ6f1EAuMRm6PmZ8Qtt_mcb4UYPyOCb_F_r-Zl5vV-cuteYt3DqQqJyW6y6Goh_y9RcYuZPa1I_U4owS78PCClJXGKJ8zFUnyqs_F9H20i5V43D-_wGp327OSrVpmhORQJkMv1iGmRtlKs2y-et3I19WXb97_Bpc6kF-AwqvVBO1DnLSttV0T3QCVKJPk1-Neq_h2oCmdqmk4jan5Rh31NGljp7h9V_jke0uls0lMXMRSR0';
    const id = 'yN1Vm8DYY8nM-z6JXzWwDriSeMyZGhvs_EGVHsDWgxo';
    const commitment = message({
      'commitment-device': 'httpsig@1.0',
      type: 'rsa-pss-sha512',
      keyid: publicKeyid(fromBase64(n)),
      committer: 'ajMT6QyJfU4VRCO2vuXDSs4fH_0bXM42n0PIUpdWhPA',
      committed: { 1: 'a' },
      signature,
    });
    expect(await codes(withCommitment(message({ a: 'b' }), id, commitment))).toEqual([]);
    expect(await codes(withCommitment(message({ a: 'c' }), id, commitment))).toEqual(['wrong-signature']);
  });

  it('is unmoved by keys that nobody committed to, which are cut off when asked', async () => {
    const signed = (await sign(message({ a: 'b' }))).with({ evil: 'yes' });
    expect(await verifyMessage(signed)).toBe(true);
    expect([...withOnlyCommitted(signed).keys()].sort()).toEqual(['a', 'commitments']);
  });

  it('covers nested messages by their IDs, or whole', async () => {
    const value = message({ m: { x: '1' } });
    for (const bundle of [false, true]) {
      const signed = await sign(value, { bundle });
      expect(await verifyMessage(signed, EVERY)).toBe(true);
      const changed = signed.with({ m: message({ x: '2' }) });
      expect(await codes(changed)).toEqual(['wrong-signature', 'wrong-signature']);
    }
  });

  it('covers links where their content has to be loaded', async () => {
    const child = message({ x: '1' });
    const signed = await sign(message({ m: child }), { bundle: true });
    const linked = signed.with({ m: new Link(messageId(child)) });
    expect(await codes(linked)).toEqual(['necessary-message-not-found', 'necessary-message-not-found']);
    expect(await verifyMessage(linked, EVERY, { load: () => Promise.resolve(child) })).toBe(true);
  });

  it('is checked once, also where it is checked for itself and for what is around it at the same time', async () => {
    const inner = await sign(message({ data: 'inside' }));
    const outer = await sign(message({ body: inner }));
    const verify = vi.spyOn(crypto.subtle, 'verify');
    try {
      const verdicts = await Promise.all([outer, inner, outer, inner].map((one) => verifyMessage(one)));
      expect(verdicts).toEqual([true, true, true, true]);
      expect(verify).toHaveBeenCalledTimes(2);
      // What was refused is not remembered: it may be asked for again with what was missing.
      const wrong = inner.with({ data: 'changed' });
      expect(await Promise.all([verifyMessage(wrong), verifyMessage(wrong)])).toEqual([false, false]);
      expect(await verifyMessage(wrong)).toBe(false);
    } finally {
      verify.mockRestore();
    }
  });

  it('fails for every committed key that is changed or missing', async () => {
    const signed = await sign(message({ a: 'b', n: 5n, long: 'x'.repeat(5000), m: { x: '1' } }));
    for (const key of ['a', 'long', 'm']) {
      expect(await verifyMessage(signed.without(key))).toBe(false);
      expect(await verifyMessage(signed.with({ [key]: 'other' }))).toBe(false);
    }
    expect(await verifyMessage(signed.with({ n: '5' }))).toBe(false);
    expect(await verifyMessage(signed.with({ n: 5 }))).toBe(false);
  });

  it('fails for any changed bit of signature and key ID', async () => {
    const signed = await sign(message({ a: 'b' }));
    const [id, commitment] = signedOne(signed);
    const signature = fromBase64(commitment.text('signature')!);
    for (let i = 0; i < 8; i++) {
      const at = (i * 67) % signature.length;
      const changed = signature.slice();
      changed[at]! ^= 1 << i;
      const text = toBase64Url(changed);
      expect(await codes(replaceCommitment(signed, id, { signature: text }))).toEqual([
        'wrong-commitment-id',
      ]);
      const moved = replaceCommitment(signed, id, { signature: text }, toBase64Url(sha256(changed)));
      expect(await codes(moved)).toEqual(['wrong-signature']);
      const key = alice.publicKey.slice();
      key[at]! ^= 1 << i;
      expect(await codes(replaceCommitment(signed, id, { keyid: publicKeyid(key) }))).toEqual([
        'wrong-committer',
      ]);
    }
  });

  it('has no committer whom it does not have', async () => {
    const signed = await sign(message({ a: 'b' }));
    await expect(verifyMessage(signed, { committers: [eve.address] })).rejects.toMatchObject({
      code: 'unknown-committer',
    });
    expect(() => messageId(signed, { committers: eve.address })).toThrow(/Nobody/);
    expect(messageId(signed, { commitments: ['nothing'] })).toBe(messageId(signed));
  });
});

describe('a forgery', () => {
  it('by an HMAC with a public key is refused', async () => {
    const keyid = publicKeyid(alice.publicKey);
    await expect(
      commitHttpsig(message({ a: 'b' }), undefined, { type: 'unsigned', keyid }),
    ).rejects.toMatchObject({ code: 'scheme-mismatch' });
    const commitment = message({
      'commitment-device': 'httpsig@1.0',
      type: 'hmac-sha256',
      keyid,
      committer: alice.address,
      committed: { 1: 'a' },
    });
    const base = signatureBase(componentsOf(message({ a: 'b' })), commitment);
    const id = toBase64Url(hmacSha256(alice.publicKey, base));
    const forged = withCommitment(message({ a: 'b' }), id, commitment.with({ signature: id }));
    expect(await codes(forged)).toEqual(['scheme-mismatch']);
  });

  it('in the name of another is refused', async () => {
    const signed = await commitHttpsig(message({ a: 'b' }), eve);
    const [id] = signedOne(signed);
    expect(await codes(replaceCommitment(signed, id, { committer: alice.address }))).toEqual([
      'wrong-committer',
    ]);
    const commitments = signed.message('commitments')!;
    const nameless = commitments.message(id)!.without('committer');
    const removed = signed.with({ commitments: commitments.with([[id, nameless]]) });
    expect(await codes(removed)).toEqual(['wrong-committer']);
  });

  it('that gives a constant HMAC a committer is refused', async () => {
    const unsigned = await commitHttpsig(message({ a: 'b' }), undefined, { type: 'unsigned' });
    const id = messageId(unsigned);
    expect(await codes(replaceCommitment(unsigned, id, { committer: alice.address }))).toEqual([
      'wrong-committer',
    ]);
    expect(await codes(replaceCommitment(unsigned, id, { committer: 5n }))).toEqual(['wrong-committer']);
  });

  it('under an ID that is not its own is refused', async () => {
    const signed = await sign(message({ a: 'b' }));
    const [id] = signedOne(signed);
    expect(await codes(replaceCommitment(signed, id, {}, 'A'.repeat(43)))).toEqual(['wrong-commitment-id']);
  });

  it('that lists what is not there is refused', async () => {
    const signed = await sign(message({ a: 'b' }));
    const [id] = signedOne(signed);
    expect(await codes(replaceCommitment(signed, id, { committed: message({ 1: 'a', 2: 'z' }) }))).toEqual([
      'missing-committed-key',
    ]);
  });

  it('of a nested message under the ID of what was signed is refused', async () => {
    const child = await sign(message({ x: '1' }));
    const parent = await sign(message({ m: child }));
    expect(await verifyMessage(parent)).toBe(true);
    const changed = parent.with({ m: child.with({ x: '2' }) });
    expect(messageId(changed.message('m')!, 'signed')).toBe(messageId(child, 'signed'));
    expect(await verifyMessage(changed)).toBe(false);
    const inList = await sign(message({ l: [child, 'x'] }));
    expect(await verifyMessage(inList)).toBe(true);
    expect(await verifyMessage(inList.with({ l: [child.with({ x: '2' }), 'x'] }))).toBe(false);
  });

  it('of a nested message shows nothing uncommitted once cut', async () => {
    const child = await sign(message({ x: '1' }));
    const parent = await sign(message({ m: child }));
    const grown = parent.with({ m: child.with({ evil: 'yes' }) });
    expect(withOnlyCommitted(grown).message('m')!.has('evil')).toBe(false);
  });

  it('that moves text between two values across a line feed is refused', async () => {
    const signed = await sign(message({ a: 'p\n"b": q', b: 'r' }));
    const [id] = signedOne(signed);
    expect(commitmentsOf(signed).has(id)).toBe(true);
    const moved = signed.with({ a: 'p', b: 'q\n"b": r' });
    expect(await codes(moved)).toEqual(['ambiguous-signature', 'ambiguous-signature']);
    const harmless = await sign(message({ a: 'p\nq\n  "b": x', b: 'r' }));
    expect(await verifyMessage(harmless)).toBe(true);
  });

  it('with broken fields is refused without an exception', async () => {
    const signed = await sign(message({ a: 'b' }));
    const [id] = signedOne(signed);
    const cases: [Record<string, Value>, string][] = [
      [{ keyid: 'publickey:AAAA' }, 'wrong-committer'],
      [{ keyid: `publickey:${toBase64Url(alice.publicKey)}` }, 'bad-keyid'],
      [{ keyid: toBase64(alice.publicKey) }, 'bad-keyid'],
      [{ keyid: toBase64(alice.publicKey), 'key-form': 'bare' }, 'wrong-signature'],
      [{ keyid: toBase64(alice.publicKey).slice(0, 300) }, 'bad-keyid'],
      [{ keyid: 'nothing:x' }, 'bad-keyid'],
      [{ keyid: 'secret:x' }, 'unknown-secret'],
      [{ keyid: message({}) }, 'bad-keyid'],
      [{ type: 'ed25519' }, 'unknown-algorithm'],
      [{ signature: '*' }, 'bad-base64'],
      [{ signature: 5n }, 'bad-signature'],
      [{ committed: '5' }, 'bad-commitment'],
      [{ committed: message({ x: 'a' }) }, 'bad-commitment'],
      [{ 'commitment-device': 'none@1.0' }, 'unknown-device'],
    ];
    for (const [changes, code] of cases)
      expect(await codes(replaceCommitment(signed, id, changes))).toEqual([code]);
  });
});

describe('a signature whose key ID is the bare modulus', () => {
  /** Signed rightly, as a client signs, and told as data: `committer` is the owner of that key. */
  async function bare(alphabet: (bytes: Uint8Array) => string): Promise<[Message, string]> {
    const value = message({ a: 'b' });
    const fields = { type: 'rsa-pss-sha512', keyid: alphabet(alice.publicKey) };
    const base = signatureBase(componentsOf(encodeStructuredMessage(value)), message(fields));
    const signature = await alice.sign(base, 'rsa-pss-sha512');
    const id = toBase64Url(sha256(signature));
    const commitment = message({
      ...fields,
      'commitment-device': 'httpsig@1.0',
      committer: alice.address,
      committed: { 1: 'a' },
      signature: toBase64Url(signature),
    });
    return [withCommitment(value, id, commitment), id];
  }

  it.each([
    ['base64', toBase64],
    ['base64url', toBase64Url],
  ])('in %s never verifies, unless it says that it is a client’s', async (_, alphabet) => {
    const [signed, id] = await bare(alphabet);
    expect(await codes(signed)).toEqual(['bad-keyid']);
    // What reads signatures of HTTP requests under the labels of clients says so.
    const ofClient = replaceCommitment(signed, id, { 'key-form': 'bare' });
    expect(await codes(ofClient)).toEqual([]);
    expect(await codes(replaceCommitment(signed, id, { 'key-form': 'other' }))).toEqual(['bad-keyid']);
  });

  it('names nobody under a label of a commitment', async () => {
    const [signed] = await bare(toBase64);
    const form = await encodeHttp(signed);
    const read = decodeHttpMessage(form);
    expect(committers(read)).toEqual([]);
    expect(await codes(read)).toEqual(['bad-keyid']);
  });
});

describe('HMACs with a secret', () => {
  it('verify only for who knows it', async () => {
    const secret = toBytes('the secret');
    const value = await commitHttpsig(message({ a: 'b' }), undefined, {
      type: 'unsigned',
      scheme: 'secret',
      secret,
    });
    expect(committers(value)).toEqual([toBase64Url(sha256(secret))]);
    expect(await verifyMessage(value, EVERY, { secret })).toBe(true);
    expect(await verifyMessage(value, EVERY)).toBe(false);
    expect(await verifyMessage(value, EVERY, { secret: toBytes('another') })).toBe(false);
  });
});

describe('commitments over keys that look like IDs', () => {
  const id = 'KPzA9jjXbcmApVKFmxQSWQ2jjgAr1RhaDISQsL2etsg';
  it('cover all such keys there are', async () => {
    const value = message({ [id]: 'v', a: 'b' });
    const signed = await commitHttpsig(value, undefined, { type: 'unsigned' });
    expect(messageId(signed)).toBe(messageId(value));
    expect(await verifyMessage(signed, EVERY)).toBe(true);
    expect(await verifyMessage(signed.with({ [id]: 'w' }), EVERY)).toBe(false);
    expect(await verifyMessage(signed.without(id), EVERY)).toBe(false);
    expect(await verifyMessage(signed.with({ ['x'.repeat(43)]: 'w' }), EVERY)).toBe(false);
    expect(withOnlyCommitted(signed).text(id)).toBe('v');
  });

  it('verify in the form of newer nodes, with escaped names', async () => {
    const value = message({ [id]: 'v', a: 'b' });
    const escaped = id.replace(/[A-Z]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
    const commitment = message({
      'commitment-device': 'httpsig@1.0',
      type: 'rsa-pss-sha512',
      keyid: publicKeyid(alice.publicKey),
      committer: alice.address,
      committed: { 1: 'a', 2: id },
    });
    const names = ['a', escaped].sort();
    const values = new Map([
      ['a', 'b'],
      [escaped, 'v'],
    ]);
    const signature = await alice.sign(signatureBase({ names, values }, commitment), 'rsa-pss-sha512');
    const text = toBase64Url(signature);
    const signed = withCommitment(
      value,
      toBase64Url(sha256(signature)),
      commitment.with({ signature: text }),
    );
    expect(await codes(signed)).toEqual([]);
    expect(await codes(signed.with({ [id]: 'w' }))).toEqual(['wrong-signature']);
  });
});

it('verifies components in the order of the committed keys, as nodes of mid-2026 sign them', async () => {
  const value = message({ z: '1', body: 'text', a: '2', m: { x: '1' } });
  const keys = ['z', 'body', 'm', 'a'];
  const commitment = message({
    'commitment-device': 'httpsig@1.0',
    type: 'rsa-pss-sha512',
    keyid: publicKeyid(alice.publicKey),
    committer: alice.address,
    committed: keys,
  });
  const { headers } = encodeHttpsig(encodeStructuredMessage(linkify(value)));
  const names = ['z', 'content-digest', 'm+link', 'a'];
  const signature = await alice.sign(signatureBase({ names, values: headers }, commitment), 'rsa-pss-sha512');
  const signed = withCommitment(
    value,
    toBase64Url(sha256(signature)),
    commitment.with({ signature: toBase64Url(signature) }),
  );
  expect(await codes(signed)).toEqual([]);
  expect(await codes(signed.with({ body: 'other' }))).toEqual(['wrong-signature']);
});

it('verifies links to messages that several signed, whichever way their IDs were combined', async () => {
  const child = await commitHttpsig(await sign(message({ x: '1' })), eve);
  const ids = [...commitmentsOf(child)].filter(([, one]) => one.has('committer')).map(([id]) => id);
  for (const [combine, parent] of [
    [combineIds, message({ m: child, a: 'b' })],
    [hashIds, message({ m: child, a: 'b' })],
    [hashIds, message({ m: { deep: [child] }, a: 'b' })],
  ] as const) {
    const linked = linkify(parent, combine);
    if (parent.get('m') === child) expect((linked.get('m') as Link).id).toBe(combine(ids));
    const signed = await sign(linked);
    const whole = signed.with({ m: parent.get('m')! });
    expect(await codes(whole)).toEqual([]);
    expect(await codes(whole.with({ m: child.with({ x: '2' }) }))).not.toEqual([]);
  }
});

it('holds a body of many megabytes once', async () => {
  const body = new Uint8Array(24 * 1024 * 1024);
  for (let i = 0; i < body.length; i += 4096) body[i] = i >> 12;
  const signed = await commitHttpsig(message({ body }), undefined, { type: 'unsigned' });
  expect(signed.get('body')).toBe(body);
  expect(await verifyMessage(signed, EVERY)).toBe(true);
});

it('refuses to commit without a key or in an unknown way', async () => {
  await expect(commitHttpsig(message({}), undefined)).rejects.toMatchObject({ code: 'cannot-commit' });
  await expect(commitHttpsig(message({}), alice, { type: 'none' })).rejects.toMatchObject({
    code: 'unknown-commitment-type',
  });
});
