/** Lies about the hardware and the program that a node runs on. */
import { beforeAll, describe, expect, it } from 'vitest';
import { Message } from '../../../../src/message/message.ts';
import { verify, type VerifyOptions } from '../../../../src/verify/verify.ts';
import { accepted, codes, keys, liar, node, prepare } from './support.ts';

beforeAll(prepare, 120_000);

describe('a node that is to be attested', () => {
  const trust: VerifyOptions = { level: 'attested', attest: { trust: [] } };
  /** A report about a key; its signature is checked last. */
  const report = (address: string): string => {
    const bytes = new Uint8Array(1184);
    bytes[0] = 2;
    bytes[0x34] = 1;
    bytes[0x0a] = 3;
    bytes.set(
      Uint8Array.from(atob(address.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0)),
      0x50,
    );
    return btoa(String.fromCharCode(...bytes));
  };
  it.each<{ name: string; code: string; answer: () => Message }>([
    { name: 'shows no report', code: 'SNP_JSON', answer: () => Message.of({ address: 'x' }) },
    {
      name: 'shows a report that is none',
      code: 'SNP_JSON',
      answer: () => Message.of({ report: '{"version":2}' }),
    },
    {
      name: 'shows the report of another key',
      code: 'SNP_REPORT_DATA',
      answer: () => Message.of({ report: report(keys.stranger.address) }),
    },
    {
      name: 'runs a program that nobody trusts',
      code: 'SNP_MEASUREMENT',
      answer: () => Message.of({ report: report(keys.scheduler.address) }),
    },
  ])('is not believed when it $name', async ({ code, answer }) => {
    const peer = liar();
    peer.instead(/snp@1\.0/, () => peer.reply(answer()));
    const found = await verify(peer.url(), trust, await node(peer));
    expect(codes(found)).toContain(code);
    expect(accepted(found)).toBe(false);
  });
});
