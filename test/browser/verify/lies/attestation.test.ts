/** Lies about the hardware and the program that a node runs on. */
import { beforeAll, describe, expect, it } from 'vitest';
import { concatBytes, fromBase64, toBytes } from '../../../../src/base/bytes.ts';
import type { TrustEntry } from '../../../../src/attestation/trust.ts';
import { contentId } from '../../../../src/commitment/id.ts';
import type { RsaWallet } from '../../../../src/crypto/wallet.ts';
import { Message } from '../../../../src/message/message.ts';
import type { HttpResponse } from '../../../../src/resolver/context.ts';
import type { Report } from '../../../../src/verify/report.ts';
import { verify, type VerifyOptions } from '../../../../src/verify/verify.ts';
import { AttestedGuest, PROGRAM, type Changes } from '../../../setup/attested-guest.ts';
import type { SchedulingPeer } from '../scheduling-peer.ts';
import { accepted, codes, keys, liar, node, prepare, refusal } from './support.ts';

let guest: AttestedGuest;

beforeAll(async () => {
  [guest] = await Promise.all([AttestedGuest.make(), prepare()]);
}, 120_000);

/** What the node's options are, without what is private. */
const CONFIGURATION = Message.of({ initialized: 'permanent', operator: 'trustless', port: 8734n });

const trusting = (entry: TrustEntry = PROGRAM, own = true): VerifyOptions => ({
  level: 'attested',
  attest: { trust: [entry] },
  trust: { roots: own ? [guest.trusted] : [] },
});

/** What the node shows at `/~snp@1.0/generate`. */
interface Shown {
  readonly changes?: Changes;
  readonly of?: () => RsaWallet;
  readonly beside?: Record<string, string>;
  readonly configuration?: Message;
}

async function shows(
  peer: SchedulingPeer,
  { changes, of = () => keys.scheduler, beside, configuration = CONFIGURATION }: Shown = {},
): Promise<void> {
  const bound = concatBytes(fromBase64(of().address), fromBase64(contentId(CONFIGURATION)));
  const report = await guest.report(bound, changes);
  const message = Message.of({ report, ...(beside ?? { vek: guest.table }) });
  peer.instead(/snp@1\.0/, () => peer.reply(message.with({ 'node-message': configuration })));
}

/** What AMD's key server would answer, through the relay of the node. */
function relays(peer: SchedulingPeer, files: Record<string, Uint8Array>): void {
  peer.instead(/relay@1\.0/, async (): Promise<HttpResponse> => {
    const asked = new URL(
      decodeURIComponent(/relay-path=(.*)$/.exec(peer.asked.at(-1)!)![1]!),
    ).pathname.slice(1);
    const found = Object.entries(files).find(([name]) => asked.startsWith(name));
    return found ? { status: 200, headers: [], body: found[1] } : refusal(404)();
  });
}

describe('a node that is attested', () => {
  const tried = async (peer: SchedulingPeer, options = trusting()): Promise<Report> =>
    verify(peer.url(), options, await node(peer));
  const proven = (report: Report) => {
    expect(codes(report)).toEqual([]);
    expect(report.level).toBe('attested');
    expect(report.facts.attested).toMatchObject({
      address: keys.scheduler.address,
      product: 'Milan',
      program: PROGRAM.name,
      bound: 'full',
      root: guest.trusted.name,
    });
    expect(report.notChecked.join(' ')).toContain('not in AMD’s');
  };

  it('is believed with certificates that the user hands in', async () => {
    for (const certificates of [guest.pem, toBytes(guest.pem), fromBase64(guest.table)]) {
      const peer = liar();
      await shows(peer, { beside: {} });
      proven(await tried(peer, { ...trusting(), attest: { trust: [PROGRAM], certificates } }));
    }
  });

  it('is believed with certificates beside its report', async () => {
    const peer = liar();
    await shows(peer);
    const report = await tried(peer);
    proven(report);
    expect(report.notChecked.join(' ')).toContain('revoked');
    await shows(peer, { beside: { 'certificate-chain': guest.pem } });
    proven(await tried(peer));
  });

  it('is believed with certificates that its relay fetches', async () => {
    const peer = liar();
    await shows(peer, { beside: {} });
    relays(peer, {
      'vcek/v1/Milan/cert_chain': toBytes(guest.pem.slice(guest.pem.indexOf('-----BEGIN', 9))),
      'vcek/v1/Milan/crl': await guest.crl([77]),
      'vcek/v1/Milan/': guest.leaf,
    });
    const report = await tried(peer);
    proven(report);
    expect(report.notChecked.join(' ')).not.toContain('revoked');
  });

  it('is believed with certificates that the relay of another node fetches', async () => {
    const peer = liar();
    await shows(peer, { beside: {} });
    peer.instead(/relay@1\.0/, () => Promise.resolve({ status: 200, headers: [], body: toBytes('<html>') }));
    const second = 'https://second.example';
    const http = {
      request: async (request: Parameters<SchedulingPeer['request']>[0]): Promise<HttpResponse> => {
        if (!request.target.startsWith(second)) return peer.request(request);
        const body = /cert_chain/.test(request.target) ? toBytes(guest.pem) : guest.leaf;
        return { status: /crl/.test(request.target) ? 404 : 200, headers: [], body };
      },
    };
    const report = await verify(peer.url(), { ...trusting(), peers: [second] }, await node(http));
    expect(report.reached).toContain('attested');
  });

  it('is not called configured as it says when that is not what was attested', async () => {
    const peer = liar();
    await shows(peer, { configuration: CONFIGURATION.with({ port: 80n }) });
    const report = await tried(peer);
    expect(report.facts.attested).toMatchObject({ bound: 'key' });
    expect(report.notChecked.join(' ')).toContain('not its configuration');
  });

  it('is told what its configuration takes away', async () => {
    const peer = liar();
    const open = Message.of({ operator: 'unclaimed', routes: ['x'] });
    const bound = concatBytes(fromBase64(keys.scheduler.address), fromBase64(contentId(open)));
    const answer = Message.of({ report: await guest.report(bound), vek: guest.table });
    peer.instead(/snp@1\.0/, () => peer.reply(answer.with({ 'node-message': open })));
    const report = await tried(peer);
    expect(report.facts.attested).toMatchObject({ bound: 'full' });
    const text = report.notChecked.join(' ');
    for (const part of ['can still be changed', 'Anybody may become the operator', '(routes)'])
      expect(text).toContain(part);
  });
});

describe('a node that is to be attested', () => {
  const old = { ...PROGRAM, minTcb: { Milan: { bootloader: 4, tee: 0, snp: 22, microcode: 214 } } };
  const at = (offset: number, ...octets: number[]): Changes => ({
    bytes: { [offset]: Uint8Array.from(octets) },
  });
  interface AttestationLie {
    readonly name: string;
    readonly code: string;
    readonly shown?: Shown;
    readonly options?: () => VerifyOptions;
    readonly tell?: (peer: SchedulingPeer) => unknown;
  }
  it.each<AttestationLie>([
    {
      name: 'shows no report',
      code: 'SNP_JSON',
      tell: (peer) => peer.instead(/snp@1\.0/, () => peer.reply(Message.of({ address: 'x' }))),
    },
    {
      name: 'shows a report that is none',
      code: 'SNP_JSON',
      tell: (peer) => peer.instead(/snp@1\.0/, () => peer.reply(Message.of({ report: '{"version":2}' }))),
    },
    { name: 'shows the report of another key', code: 'SNP_REPORT_DATA', shown: { of: () => keys.stranger } },
    {
      name: 'shows the report of another key and says that it is about its own',
      code: 'SNP_REPORT_DATA',
      shown: {
        of: () => keys.stranger,
        get beside() {
          return { vek: guest.table, address: keys.scheduler.address, nonce: keys.scheduler.address };
        },
      },
    },
    {
      name: 'changes the key in the report of another',
      code: 'SNP_REPORT_SIG',
      shown: {
        of: () => keys.stranger,
        get changes() {
          return { forged: { 0x50: fromBase64(keys.scheduler.address) } };
        },
      },
    },
    {
      name: 'replays the report and the answers of a node whose key it lacks',
      code: 'not-live',
      tell: (peer) => peer.instead(/challenge/, () => peer.reply('0'.repeat(32))),
    },
    {
      name: 'signs what is new with another key than the attested one',
      code: 'not-live',
      tell: (peer) =>
        peer.instead(/challenge/, () =>
          peer.reply(/challenge=(\w+)/.exec(peer.asked.at(-1)!)![1]!, { by: keys.stranger }),
        ),
    },
    {
      name: 'runs a program that nobody trusts',
      code: 'SNP_MEASUREMENT',
      shown: { changes: { measurement: '11'.repeat(48) } },
    },
    {
      name: 'changes its report after it was signed',
      code: 'SNP_REPORT_SIG',
      shown: { changes: { forged: { 0xc0: Uint8Array.of(1) } } },
    },
    { name: 'lets its guest be debugged', code: 'SNP_DEBUG', shown: { changes: at(0x0a, 0x0b) } },
    {
      name: 'hides that its guest may be debugged',
      code: 'SNP_REPORT_SIG',
      shown: { changes: { ...at(0x0a, 0x0b), forged: { 0x0a: Uint8Array.of(3) } } },
    },
    { name: 'may have its guest moved', code: 'SNP_MIGRATION', shown: { changes: at(0x160, 0) } },
    {
      name: 'lets its host ask for the report',
      code: 'SNP_VMPL',
      shown: { changes: at(0x30, 255, 255, 255, 255) },
    },
    { name: 'runs a firmware that is too old', code: 'SNP_TCB_MIN', options: () => trusting(old) },
    {
      name: 'speaks of a newer firmware than its chip has',
      code: 'SNP_TCB_CERT',
      options: () => trusting(old),
      shown: { changes: at(0x187, 214) },
    },
    {
      name: 'may go back behind the firmware that it speaks of',
      code: 'SNP_TCB_ORDER',
      shown: { changes: at(0x1e7, 212) },
    },
    {
      name: 'shows the certificate of another chip',
      code: 'SNP_HWID',
      shown: { changes: at(0x1a0, 1, 2, 3) },
    },
    {
      name: 'hides which chip it runs on',
      code: 'SNP_HWID',
      shown: { changes: { bytes: { 0x1a0: new Uint8Array(64) } } },
    },
    {
      name: 'runs on a processor of another kind',
      code: 'SNP_PRODUCT',
      shown: { changes: at(0x188, 0x19, 0x11) },
    },
    {
      name: 'has certificates of a root of its own',
      code: 'SNP_PIN',
      options: () => trusting(PROGRAM, false),
    },
    {
      name: 'shows no certificate',
      code: 'SNP_NO_LEAF',
      shown: { beside: {} },
      tell: (peer) => peer.instead(/relay@1\.0/, refusal(404)),
    },
    {
      name: 'shows a certificate that is none',
      code: 'SNP_DER',
      shown: { beside: { vek: 'MIIB' } },
    },
    {
      name: 'has certificates that were revoked',
      code: 'SNP_REVOKED',
      tell: async (peer) => relays(peer, { 'vcek/v1/Milan/crl': await guest.crl([2]) }),
    },
    {
      name: 'shows a list of what was revoked that is too old',
      code: 'SNP_CRL_STALE',
      tell: async (peer) =>
        relays(peer, { 'vcek/v1/Milan/crl': await guest.crl([], Date.now() - 800 * 24 * 3600_000) }),
    },
    {
      name: 'holds other settings than its host was to give it',
      code: 'SNP_HOST_DATA',
      options: () => trusting({ ...PROGRAM, hostData: '22'.repeat(32) }),
    },
    {
      name: 'runs on memory that was not checked',
      code: 'SNP_PLATFORM',
      options: () => trusting({ ...PROGRAM, requirePlatformBits: 32 }),
    },
  ])('is not believed when it $name', async ({ code, shown, options = trusting, tell }) => {
    const peer = liar();
    await shows(peer, shown);
    await tell?.(peer);
    const found = await verify(peer.url(), options(), await node(peer));
    expect(codes(found)).toContain(code);
    expect(accepted(found)).toBe(false);
    expect(found.facts.attested).toBeUndefined();
    // Under a root of the user's own it would prove nothing to others.
    const evidence = found.problems.find((problem) => problem.code === code)?.evidence;
    if (code !== 'SNP_REPORT_DATA' && code !== 'SNP_JSON') expect(evidence).toBeUndefined();
  });
});
