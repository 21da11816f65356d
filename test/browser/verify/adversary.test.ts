/** A peer that lies, in every way we could think of. None is accepted at the level that it attacks. */
import { beforeAll, describe, expect, it } from 'vitest';
import { toBytes } from '../../../src/base/bytes.ts';
import { uncommitted } from '../../../src/commitment/commitment.ts';
import { commitHttpsig } from '../../../src/commitment/httpsig.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { Message } from '../../../src/message/message.ts';
import { fetchTransport } from '../../../src/node/transport.ts';
import type { HttpResponse, Transport } from '../../../src/resolver/context.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { decodeReply } from '../../../src/resolver/reply.ts';
import { checkEvidence } from '../../../src/verify/check-evidence.ts';
import { evidenceText, parseEvidence, type Evidence } from '../../../src/verify/evidence.ts';
import type { Level, Report } from '../../../src/verify/report.ts';
import { verify, type VerifyOptions } from '../../../src/verify/verify.ts';
import wasmCases from '../../vectors/process-wasm.json';
import { enginesHere, type ProcessCase } from '../../conformance/families/support/process-case.ts';
import { testNode } from '../../conformance/node.ts';
import { RecordedPeer } from './recorded-peer.ts';
import { httpOf, SchedulingPeer, type Keys } from './scheduling-peer.ts';

let keys: Keys;
let honest: SchedulingPeer;

beforeAll(async () => {
  const [scheduler, author, stranger] = await Promise.all([
    RsaWallet.generate(),
    RsaWallet.generate(),
    RsaWallet.generate(),
  ]);
  keys = { scheduler, author, stranger };
  honest = await SchedulingPeer.open(keys);
}, 120_000);

/** A liar with the same process as all others: making one takes time. */
function liar(): SchedulingPeer {
  honest.answer = (_, truth) => truth();
  honest.asked.length = 0;
  return honest;
}

const node = (http: Transport): Promise<NodeContext> =>
  testNode({ identity: keys.stranger, capabilities: { engines: enginesHere, http } });

const codes = ({ problems }: Report) => problems.map(({ code }) => code);

/** True if who asked would take the answer for proven. */
const accepted = ({ level, reached, asked }: Report) => level !== 'contradicted' && reached.includes(asked);

interface Lie {
  readonly name: string;
  readonly level: Level;
  readonly code: string;
  readonly path?: string;
  readonly options?: VerifyOptions;
  readonly tell: (peer: SchedulingPeer) => void | Promise<void>;
}

const header =
  (change: (headers: [string, string][]) => readonly (readonly [string, string])[]) =>
  async (truth: () => Promise<HttpResponse>): Promise<HttpResponse> => {
    const answer = await truth();
    return { ...answer, headers: change(answer.headers.map(([name, value]) => [name.toLowerCase(), value])) };
  };

const ASKED = /\/compute&slot=5/;

const answers: Lie[] = [
  {
    name: 'the signature is stripped',
    level: 'signed',
    code: 'not-signed',
    tell: (peer) =>
      peer.instead(
        ASKED,
        header((all) => all.filter(([name]) => !name.startsWith('signature'))),
      ),
  },
  {
    name: 'there is an unkeyed HMAC alone',
    level: 'signed',
    code: 'not-signed',
    tell: (peer) =>
      peer.instead(ASKED, async (truth) => {
        const bare = uncommitted(decodeReply(await truth()));
        return httpOf(await commitHttpsig(bare, keys.scheduler, { type: 'unsigned' }));
      }),
  },
  {
    name: 'the signature is on the hashpath alone',
    level: 'signed',
    code: 'not-signed',
    tell: (peer) =>
      peer.instead(ASKED, async (truth) => {
        const bare = uncommitted(decodeReply(await truth())).with({ hashpath: 'a/b' });
        return httpOf(await commitHttpsig(bare, keys.scheduler, { committed: ['hashpath'] }));
      }),
  },
  {
    name: 'the body is swapped under its digest',
    level: 'signed',
    code: 'wrong-digest',
    path: 'now/balances/alice',
    tell: (peer) => peer.instead(ASKED, async (truth) => ({ ...(await truth()), body: toBytes('1000000') })),
  },
  {
    name: 'the body is cut short',
    level: 'signed',
    code: 'wrong-digest',
    tell: (peer) =>
      peer.instead(ASKED, async (truth) => {
        const answer = await truth();
        return { ...answer, body: answer.body.slice(0, answer.body.length >> 1) };
      }),
  },
  {
    name: 'body and digest are swapped',
    level: 'signed',
    code: 'not-signed',
    path: 'now/balances/alice',
    tell: (peer) =>
      peer.instead(ASKED, async (truth) => {
        const signed = await truth();
        const { headers, body } = await peer.reply('1000000');
        const digest = headers.find(([name]) => name === 'content-digest')!;
        return { ...signed, body, headers: [...signed.headers.filter(([n]) => n !== digest[0]), digest] };
      }),
  },
  {
    name: 'a header is altered',
    level: 'signed',
    code: 'not-signed',
    tell: (peer) =>
      peer.instead(
        ASKED,
        header((all) => all.map(([n, v]) => (n === 'count' ? [n, '600'] : [n, v]))),
      ),
  },
  {
    name: 'a key is added that nobody signed',
    level: 'signed',
    code: 'not-signed',
    tell: (peer) =>
      peer.instead(
        ASKED,
        header((all) => [...all, ['balance-of-mallory', '1000000']]),
      ),
  },
  {
    name: 'the keys of two signers are swapped',
    level: 'signed',
    code: 'peer-unreadable',
    tell: (peer) =>
      peer.instead(ASKED, async (truth) => {
        const answer = await truth();
        const other = await peer.reply(uncommitted(decodeReply(answer)), { by: keys.stranger });
        const of = ({ headers }: HttpResponse, name: string) => headers.find(([key]) => key === name)!;
        const rest = answer.headers.filter(([name]) => name !== 'signature-input');
        return { ...answer, headers: [...rest, of(other, 'signature-input')] };
      }),
  },
  {
    name: 'another key is named as the one that the answer is about',
    level: 'signed',
    code: 'not-signed',
    tell: (peer) =>
      peer.instead(
        ASKED,
        header((all) => [...all, ['ao-result', 'count']]),
      ),
  },
  {
    name: 'a text is made a number by a type that nobody signed',
    level: 'signed',
    code: 'not-signed',
    path: 'now/balances/alice',
    tell: (peer) =>
      peer.instead(ASKED, async (truth) => {
        const bare = uncommitted(decodeReply(await truth())).without('ao-types', 'status', 'ao-result');
        const signed = await commitHttpsig(bare.with({ 'ao-result': 'body' }), keys.scheduler, {});
        const answer = await httpOf(signed);
        return { ...answer, headers: [...answer.headers, ['ao-types', 'body="integer"']] };
      }),
  },
  {
    name: 'the signature is of another answer',
    level: 'signed',
    code: 'not-signed',
    tell: (peer) =>
      peer.instead(ASKED, async (truth) => {
        const answer = await truth();
        const other = await peer.reply(Message.of({ count: 1n }));
        const isSignature = ([name]: readonly [string, string]) => name.startsWith('signature');
        return {
          ...answer,
          headers: [
            ...answer.headers.filter((pair) => !isSignature(pair)),
            ...other.headers.filter(isSignature),
          ],
        };
      }),
  },
  {
    name: 'the status is another',
    level: 'signed',
    code: 'not-signed',
    tell: (peer) => peer.instead(ASKED, async (truth) => ({ ...(await truth()), status: 202 })),
  },
  {
    name: 'a page of HTML comes instead',
    level: 'signed',
    code: 'not-signed',
    tell: (peer) =>
      peer.instead(ASKED, () =>
        Promise.resolve({
          status: 200,
          headers: [['content-type', 'text/html']],
          body: toBytes('<!doctype html><title>Sign in</title>'),
        }),
      ),
  },
  {
    name: 'nothing comes but refusals',
    level: 'signed',
    code: 'peer-refused',
    tell: (peer) =>
      peer.instead(/./, () => Promise.resolve({ status: 503, headers: [], body: new Uint8Array(0) })),
  },
  {
    name: 'the number of slots is no number',
    level: 'replayed',
    code: 'peer-unreadable',
    tell: (peer) => peer.instead(/slot\/current/, () => peer.reply('many')),
  },
  {
    name: 'an answer is nested without end',
    level: 'replayed',
    code: 'peer-unreadable',
    tell: (peer) =>
      peer.instead(ASKED, () =>
        Promise.resolve({
          status: 200,
          headers: [['codec-device', 'json@1.0']],
          body: toBytes('{"a":'.repeat(200_000) + '1' + '}'.repeat(200_000)),
        }),
      ),
  },
];

const schedules: Lie[] = [
  {
    name: 'a slot is dropped',
    level: 'audited',
    code: 'audit-slot',
    tell: async (peer) => {
      const all = await peer.assignments();
      peer.shows(all.map((one, slot) => [String(slot), one] as const).filter((_, slot) => slot !== 2));
    },
  },
  {
    name: 'two slots are listed under each other’s key',
    level: 'audited',
    code: 'audit-slot',
    tell: async (peer) => {
      const all = await peer.assignments();
      const swapped: Record<number, number> = { 2: 3, 3: 2 };
      peer.shows(all.map((one, slot) => [String(swapped[slot] ?? slot), one] as const));
    },
  },
  {
    name: 'a slot is there twice',
    level: 'audited',
    code: 'audit-slot',
    tell: async (peer) => {
      const all = await peer.assignments();
      peer.shows([...all.slice(0, 2), all[1]!, ...all.slice(3)]);
    },
  },
  {
    name: 'all slots are listed one too late',
    level: 'audited',
    code: 'audit-slot',
    tell: async (peer) => {
      const all = await peer.assignments();
      peer.shows([['0', all[0]!], ...all.slice(2).map((one, index) => [String(index + 1), one] as const)]);
    },
  },
  {
    name: 'an assignment is signed by a stranger',
    level: 'audited',
    code: 'audit-signer',
    tell: async (peer) => {
      const all = await peer.assignments();
      all[2] = await peer.resign(all[2]!, {}, { by: keys.stranger });
      peer.shows(all);
    },
  },
  {
    name: 'every assignment is signed by a stranger',
    level: 'audited',
    code: 'audit-signer',
    tell: async (peer) => {
      const all = await peer.assignments();
      peer.shows(await Promise.all(all.map((one) => peer.resign(one, {}, { by: keys.stranger }))));
    },
  },
  {
    name: 'the scheduler’s signature is stripped',
    level: 'audited',
    code: 'audit-signer',
    tell: async (peer) => {
      const all = await peer.assignments();
      all[3] = uncommitted(all[3]!);
      peer.shows(all);
    },
  },
  {
    name: 'the time of an assignment is altered',
    level: 'audited',
    code: 'audit-signature',
    tell: async (peer) => {
      const all = await peer.assignments();
      all[3] = all[3]!.with({ timestamp: 1n });
      peer.shows(all);
    },
  },
  {
    name: 'a message is swapped for another that its author signed',
    level: 'audited',
    code: 'audit-signature',
    tell: async (peer) => {
      const all = await peer.assignments();
      all[3] = all[3]!.with({ body: await peer.message({ action: 'credit', to: 'mallory', quantity: '1' }) });
      peer.shows(all);
    },
  },
  {
    name: 'a message is altered after it was signed',
    level: 'audited',
    code: 'audit-signature',
    tell: async (peer) => {
      const all = await peer.assignments();
      const body = all[5]!.message('body')!.with({ quantity: '1000000' });
      all[5] = await commitHttpsig(uncommitted(all[5]!).with({ body }), keys.scheduler, {});
      peer.shows(all);
    },
  },
  {
    name: 'the signatures of a message are removed',
    level: 'audited',
    code: 'audit-chain',
    tell: async (peer) => {
      const all = await peer.assignments();
      const body = uncommitted(all[3]!.message('body')!);
      all[3] = await commitHttpsig(uncommitted(all[3]!).with({ body }), keys.scheduler, {});
      peer.shows(all);
    },
  },
  {
    name: 'a message that nobody signed is assigned',
    level: 'audited',
    code: 'audit-body-unsigned',
    tell: async (peer) => {
      const all = await peer.assignments();
      const body = uncommitted(all[5]!.message('body')!).with({ quantity: '77' });
      all[5] = await commitHttpsig(
        uncommitted(all[5]!).with({ body, 'hash-chain': peer.chain(all[4]!, body) }),
        keys.scheduler,
        {},
      );
      peer.shows(all);
    },
  },
  {
    name: 'the assigned message is missing',
    level: 'audited',
    code: 'audit-body',
    tell: async (peer) => {
      const all = await peer.assignments();
      all[3] = await peer.resign(all[3]!, { body: 'later' });
      peer.shows(all);
    },
  },
  {
    name: 'an assignment is of another process of the same scheduler',
    level: 'audited',
    code: 'audit-wrong-process',
    tell: async (peer) => {
      const all = await peer.assignments();
      all[2] = await peer.resign(all[2]!, { process: 'x'.repeat(43) });
      peer.shows(all);
    },
  },
  {
    name: 'the scheduler leaves the slot out of its signature',
    level: 'audited',
    code: 'audit-coverage',
    tell: async (peer) => {
      const all = await peer.assignments();
      all[2] = await peer.resign(all[2]!, {}, { without: ['slot'] });
      peer.shows(all);
    },
  },
  {
    name: 'the scheduler begins another epoch',
    level: 'audited',
    code: 'audit-epoch',
    tell: async (peer) => {
      const all = await peer.assignments();
      all[2] = await peer.resign(all[2]!, { epoch: '1' });
      peer.shows(all);
    },
  },
  {
    name: 'the scheduler breaks its hash chain',
    level: 'audited',
    code: 'audit-chain',
    tell: async (peer) => {
      const all = await peer.assignments();
      all[3] = await peer.resign(all[3]!, { 'hash-chain': 'A'.repeat(43) });
      peer.shows(all);
    },
  },
  {
    name: 'something else than an assignment is signed',
    level: 'audited',
    code: 'audit-type',
    tell: async (peer) => {
      const all = await peer.assignments();
      all[2] = await peer.resign(all[2]!, { type: 'Message' });
      peer.shows(all);
    },
  },
  {
    name: 'an assignment is of another protocol',
    level: 'audited',
    code: 'audit-variant',
    tell: async (peer) => {
      const all = await peer.assignments();
      all[2] = await peer.resign(all[2]!, { variant: 'ao.TN.1' });
      peer.shows(all);
    },
  },
  {
    name: 'the definition is of another process',
    level: 'audited',
    code: 'audit-process-id',
    tell: async (peer) => {
      const other = await SchedulingPeer.open(keys, { anchor: 'other' });
      peer.shows(await other.assignments());
    },
  },
  {
    name: 'the definition names another scheduler than was signed',
    level: 'audited',
    code: 'audit-body-signature',
    tell: async (peer) => {
      const all = await peer.assignments();
      const body = all[0]!.message('body')!.with({ scheduler: keys.stranger.address });
      all[0] = await commitHttpsig(uncommitted(all[0]!).with({ body }), keys.stranger, {});
      peer.shows(all);
    },
  },
  {
    name: 'the schedule ends before the slot',
    level: 'audited',
    code: 'schedule-ends',
    tell: async (peer) => peer.shows((await peer.assignments()).slice(0, 4)),
  },
  {
    name: 'the same page comes again and again',
    level: 'audited',
    code: 'schedule-ends',
    tell: async (peer) => peer.shows((await peer.assignments()).slice(0, 3), 'true'),
  },
  {
    name: 'the schedule is empty',
    level: 'audited',
    code: 'schedule-ends',
    tell: (peer) => peer.shows([]),
  },
  {
    name: 'more slots are spoken of than there are',
    level: 'audited',
    code: 'schedule-ends',
    tell: (peer) => {
      peer.instead(/slot\/current/, () => peer.reply(1_000_000_000n));
      peer.instead(/slot=1000000000/, () => peer.reply(Message.of({ count: 7n })));
    },
  },
];

/** Changes the honest state at a slot and after it. */
const state =
  (from: number, change: (state: Message) => Message) =>
  (peer: SchedulingPeer): void => {
    for (let slot = from; slot <= 5; slot++)
      peer.instead(new RegExp(`compute&slot=${slot}$`), async (truth) => {
        return peer.reply(change(uncommitted(decodeReply(await truth()))));
      });
  };

const computed: Lie[] = [
  {
    name: 'a result is altered',
    level: 'replayed',
    code: 'answer-differs',
    tell: state(2, (all) => all.with({ results: Message.of({ output: { data: 'message 99' } }) })),
  },
  {
    name: 'a balance in the state is altered',
    level: 'replayed',
    code: 'answer-differs',
    tell: state(3, (all) => all.with({ balances: all.message('balances')!.with({ alice: '1000000' }) })),
  },
  {
    name: 'a key of the state is left out',
    level: 'replayed',
    code: 'answer-differs',
    tell: state(3, (all) => all.without('count')),
  },
  {
    name: 'a key is added to the state',
    level: 'replayed',
    code: 'answer-differs',
    tell: state(3, (all) => all.with({ 'balance-of-mallory': '1000000' })),
  },
  {
    name: 'a number is told as a text',
    level: 'replayed',
    code: 'answer-differs',
    tell: state(1, (all) => all.with({ count: String(all.get('count') as bigint) })),
  },
  {
    name: 'the answer is of an earlier slot',
    level: 'replayed',
    code: 'answer-differs',
    tell: (peer) =>
      peer.instead(/compute&slot=5$/, async () =>
        peer.request({
          method: 'GET',
          target: `/${peer.process}~process@1.0/compute&slot=4`,
          headers: [['accept-bundle', 'true']],
          body: new Uint8Array(0),
        }),
      ),
  },
  {
    name: 'only the asked key is a lie',
    level: 'replayed',
    code: 'answer-differs',
    path: 'now/balances/alice',
    tell: (peer) => peer.instead(/balances\/alice/, () => peer.reply('1000000')),
  },
  {
    name: 'a key that is there is said not to be',
    level: 'replayed',
    code: 'answer-withheld',
    path: 'now/balances/alice',
    tell: (peer) => peer.instead(/balances\/alice/, () => peer.reply('not_found', { status: 404 })),
  },
  {
    name: 'a slot is said to have failed',
    level: 'replayed',
    code: 'answer-withheld',
    tell: (peer) => peer.instead(/compute/, () => peer.reply('failed', { status: 500 })),
  },
];

async function tried(lie: Lie): Promise<Report> {
  const peer = liar();
  await lie.tell(peer);
  return verify(peer.url(lie.path), { level: lie.level, ...lie.options }, await node(peer));
}

describe('a peer that tells the truth', () => {
  it.each(['now', 'now/balances/alice', 'now/balances', 'now/balances/nobody', 'compute&slot=3/count'])(
    'is believed: %s',
    async (path) => {
      const report = await verify(liar().url(path), {}, await node(honest));
      expect(report.problems).toEqual([]);
      expect(report.level).toBe('replayed');
      if (path !== 'now/balances/nobody') expect(report.reached).toContain('signed');
    },
  );

  it('is believed behind a proxy that adds fields', async () => {
    const peer = liar();
    const added: [string, string][] = [
      ['cf-ray', '8f'],
      ['alt-svc', 'h3=":443"'],
      ['server', 'proxy'],
    ];
    peer.instead(
      /./,
      header((all) => [...all, ...added]),
    );
    const report = await verify(peer.url(), {}, await node(peer));
    expect(report.problems).toEqual([]);
    expect(report.reached).toContain('signed');
  });

  it('is believed when its schedule was encoded anew', async () => {
    const peer = liar();
    peer.shows(await peer.assignments());
    expect((await verify(peer.url(), {}, await node(peer))).level).toBe('replayed');
  });
});

describe('a peer that lies about an answer', () => {
  it.each(answers)('is not believed: $name', async (lie) => {
    const report = await tried(lie);
    expect(codes(report)).toContain(lie.code);
    expect(accepted(report)).toBe(false);
  });
});

describe('a peer that lies about the schedule', () => {
  it.each(schedules)('is not believed: $name', async (lie) => {
    const report = await tried(lie);
    expect(codes(report)).toContain(lie.code);
    expect(accepted(report)).toBe(false);
    expect(report.facts.audited).toBeUndefined();
  });
});

describe('a peer that lies about what was computed', () => {
  it.each(computed)('is not believed: $name', async (lie) => {
    const report = await tried(lie);
    expect(codes(report)).toContain(lie.code);
    expect(accepted(report)).toBe(false);
    expect(report.facts.replayed).toBeUndefined();
  });
});

/** A peer behind the real transport, with short limits; `body` makes what `fetch` answers. */
function overFetch(body: (signal: AbortSignal) => Promise<Response>): Transport {
  const transport = fetchTransport({
    retries: 0,
    fetch: (_, init) => body(init?.signal as AbortSignal),
  });
  return { request: (request) => transport.request(request, { timeout: 300, maxBytes: 100_000 }) };
}

describe('a peer that wastes time or space', () => {
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(16_384)),
    });
  it.each<[string, string, (signal: AbortSignal) => Promise<Response>]>([
    [
      'never answers',
      'peer-timeout',
      (signal) =>
        new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as DOMException)),
        ),
    ],
    ['answers without end', 'peer-too-large', () => Promise.resolve(new Response(endless()))],
    [
      'announces more than is taken',
      'peer-too-large',
      () => Promise.resolve(new Response('x', { headers: { 'content-length': '99999999999' } })),
    ],
    ['redirects in a circle', 'peer-unreachable', () => Promise.reject(new TypeError('Failed to fetch'))],
    [
      'breaks off in the middle',
      'peer-unreachable',
      () =>
        Promise.resolve(
          new Response(
            new ReadableStream<Uint8Array>({
              start: (controller) => {
                controller.enqueue(new Uint8Array(10));
                controller.error(new TypeError('network error'));
              },
            }),
          ),
        ),
    ],
  ])('%s, and is given up', async (_, code, body) => {
    const report = await verify(liar().url(), {}, await node(overFetch(body)));
    expect(codes(report)).toContain(code);
    expect(accepted(report)).toBe(false);
    expect(report.reached).toEqual([]);
  });
});

describe('a program that is not the one', () => {
  const data = (wasmCases as unknown as ProcessCase[])[0]!;
  const id = data.preload[0]!.id;
  const evil = Message.of({ body: toBytes('another program') });
  it.each<[string, Message]>([
    ['has another ID', evil],
    [
      'claims the ID in a commitment that is not valid',
      evil.with({ commitments: Message.from([[id, Message.of({ 'commitment-device': 'httpsig@1.0' })]]) }),
    ],
  ])('is not run: it %s', async (_, program) => {
    const peer = new RecordedPeer(data, keys.scheduler);
    peer.lie = async (path, truth) => (path === `/${id}` ? httpOf(program) : truth);
    const report = await verify(`${peer.origin}/${data['process-id']}~process@1.0/now`, {}, await node(peer));
    expect(codes(report)).toContain('no-module');
    expect(accepted(report)).toBe(false);
    expect(report.facts.replayed).toBeUndefined();
  });
});

describe('several peers', () => {
  const second = 'https://second.example';
  /** Answers of the second host come from `other`, signed by its own key. */
  const both = (other: (path: string) => Promise<HttpResponse>): Transport => ({
    request: (request) =>
      request.target.startsWith(second)
        ? other(request.target.slice(second.length))
        : honest.request(request),
  });
  const asStranger = (change: (state: Message) => Message) => async (path: string) => {
    const answer = await honest.request({
      method: 'GET',
      target: path,
      headers: [['accept-bundle', 'true']],
      body: new Uint8Array(0),
    });
    if (!path.includes('/compute')) return answer;
    return honest.reply(change(uncommitted(decodeReply(answer))), { by: keys.stranger });
  };

  it('agree when two keys say the same', async () => {
    const context = await node(both(asStranger((all) => all)));
    const report = await verify(liar().url(), { level: 'agreed', peers: [second] }, context);
    expect(report.facts.agreed).toMatchObject({ k: 2, n: 2 });
    expect(accepted(report)).toBe(true);
  });

  it.each<[string, string, string[], (path: string) => Promise<HttpResponse>, number?]>([
    ['one says something else', 'peers-differ', [second], asStranger((all) => all.with({ count: 7n }))],
    ['one host is named twice', 'not-agreed', ['https://ledger.example'], asStranger((all) => all)],
    [
      'two hosts sign with one key',
      'not-agreed',
      [second],
      (path) =>
        honest.request({
          method: 'GET',
          target: path,
          headers: [['accept-bundle', 'true']],
          body: new Uint8Array(0),
        }),
    ],
    [
      'the others are silent',
      'peer-silent',
      [second],
      () => Promise.resolve({ status: 503, headers: [], body: new Uint8Array(0) }),
    ],
    ['the others are behind', 'not-agreed', [second], () => honest.reply(2n, { by: keys.stranger })],
    [
      'one voice is asked to be enough',
      'not-agreed',
      ['https://ledger.example'],
      asStranger((all) => all),
      1,
    ],
  ])('do not agree: %s', async (_, code, peers, other, k) => {
    const context = await node(both(other));
    const options: VerifyOptions = { level: 'agreed', peers, ...(k ? { k } : {}) };
    const report = await verify(liar().url(), options, context);
    expect(codes(report)).toContain(code);
    expect(accepted(report)).toBe(false);
  });

  it('are caught by replaying, when all tell the same lie', async () => {
    const peer = liar();
    state(3, (all) => all.with({ count: 99n }))(peer);
    const context = await node(both(asStranger((all) => all)));
    const report = await verify(peer.url(), { peers: [second] }, context);
    expect(report.facts.agreed?.agree).toHaveLength(2);
    expect(codes(report)).toContain('answer-differs');
    expect(report.level).toBe('contradicted');
  });

  it('show that the first one is behind', async () => {
    const peer = liar();
    peer.instead(/slot\/current/, () => peer.reply(3n));
    const other = both((path) =>
      path.includes('slot/current')
        ? honest.reply(5n, { by: keys.stranger })
        : asStranger((all) => all)(path),
    );
    const report = await verify(peer.url(), { peers: [second] }, await node(other));
    expect(codes(report)).toContain('stale');
    expect(report.freshness).toMatchObject({ slot: 3, head: 5 });
  });
});

describe('a second visit', () => {
  const visited = async (upTo: number): Promise<[SchedulingPeer, NodeContext]> => {
    const peer = liar();
    const context = await node(peer);
    const first = await verify(peer.url(`compute&slot=${upTo}`), { level: 'audited' }, context);
    expect(first.level).toBe('audited');
    return [peer, context];
  };

  it('shows that a scheduler gave one slot to two messages, with evidence', async () => {
    const [peer, context] = await visited(3);
    const all = await peer.assignments();
    const body = await peer.message({ action: 'credit', to: 'mallory', quantity: '1' });
    all[3] = await commitHttpsig(
      uncommitted(all[3]!).with({ body, 'hash-chain': peer.chain(all[2]!, body) }),
      keys.scheduler,
      {},
    );
    peer.shows(all);
    const report = await verify(peer.url(), {}, context);
    expect(report.level).toBe('contradicted');
    const problem = report.problems.find(({ code }) => code === 'equivocation');
    expect(problem).toMatchObject({ slot: 3, contradiction: true });
    await proves(problem?.evidence, context, 'double-assignment');
  });

  it('does not blame the scheduler for what it did not sign', async () => {
    const [peer, context] = await visited(3);
    const all = await peer.assignments();
    all[3] = all[3]!.with({ body: await peer.message({ action: 'credit', to: 'mallory', quantity: '1' }) });
    peer.shows(all);
    const report = await verify(peer.url(), {}, context);
    expect(codes(report)).toContain('audit-past');
    expect(accepted(report)).toBe(false);
  });

  it('shows that slots were taken back', async () => {
    const [peer, context] = await visited(5);
    peer.instead(/slot\/current/, () => peer.reply(2n));
    const report = await verify(peer.url(), {}, context);
    expect(codes(report)).toContain('head-regress');
    expect(report.level).toBe('contradicted');
    expect(report.freshness?.head).toBe(5);
  });
});

/** Evidence that was kept proves its kind to somebody without a network, and nothing once it is changed. */
async function proves(id: string | undefined, context: NodeContext, kind: string): Promise<Evidence> {
  const kept = await context.store.get<Evidence>('evidence', id ?? '');
  const item = parseEvidence(evidenceText(kept!));
  const offline = await testNode({ identity: keys.stranger, capabilities: { engines: enginesHere } });
  const verdict = await checkEvidence(item, offline);
  expect(verdict.findings.join(' ')).not.toBe('');
  expect(verdict).toMatchObject({ proves: true, kind });
  return item;
}

describe('evidence', () => {
  const fresh = () => testNode({ identity: keys.stranger, capabilities: { engines: enginesHere } });

  it('of a wrong answer is checked offline, and proves nothing once it is changed', async () => {
    const peer = liar();
    state(3, (all) => all.with({ balances: all.message('balances')!.with({ alice: '1000000' }) }))(peer);
    const context = await node(peer);
    const report = await verify(peer.url(), {}, context);
    const problem = report.problems.find(({ code }) => code === 'answer-differs');
    expect(problem).toMatchObject({ slot: 3, said: '1000000', right: '30' });
    const item = await proves(problem?.evidence, context, 'wrong-answer');
    const { statements, schedule = [] } = item;
    for (const changed of [
      { ...item, slot: 2 },
      { ...item, schedule: [] },
      { ...item, schedule: schedule.slice(0, 2) },
      { ...item, schedule: [...schedule].reverse() },
      { ...item, process: 'x'.repeat(43) },
      { ...item, statements: statements.map((one) => ({ ...one, headers: one.headers.slice(1) })) },
      { ...item, kind: 'double-assignment' as const },
      { ...item, kind: 'double-answer' as const },
      { ...item, kind: 'bad-schedule' as const },
    ])
      expect((await checkEvidence(changed, await fresh())).proves).toBe(false);
  });

  it('carries the programs that were run', async () => {
    const data = (wasmCases as unknown as ProcessCase[])[0]!;
    const peer = new RecordedPeer(data, keys.scheduler);
    peer.state = (slot, all) => (slot >= 4 ? all.with({ total: '1000000' }) : all);
    const context = await node(peer);
    const url = `${peer.origin}/${data['process-id']}~process@1.0/now`;
    const report = await verify(url, {}, context);
    const problem = report.problems.find(({ code }) => code === 'answer-differs');
    const item = await proves(problem?.evidence, context, 'wrong-answer');
    const swapped = { ...item, modules: [{ body: 'AGFzbQEAAAA' }] };
    expect((await checkEvidence(swapped, await fresh())).proves).toBe(false);
  });

  it('of another epoch blames the scheduler', async () => {
    const peer = liar();
    const all = await peer.assignments();
    all[2] = await peer.resign(all[2]!, { epoch: '1' });
    peer.shows(all);
    const context = await node(peer);
    const report = await verify(peer.url(), {}, context);
    await proves(
      report.problems.find(({ code }) => code === 'audit-epoch')?.evidence,
      context,
      'bad-schedule',
    );
  });

  it('is not kept of what nobody signed', async () => {
    const peer = liar();
    peer.instead(ASKED, async (truth) => {
      const { headers, body, status } = await httpOf(
        uncommitted(decodeReply(await truth())).with({ count: 7n }),
      );
      return { headers, body, status };
    });
    const report = await verify(peer.url(), {}, await node(peer));
    const problem = report.problems.find(({ code }) => code === 'answer-differs');
    expect(problem).toBeDefined();
    expect(problem?.evidence).toBeUndefined();
  });
});

describe('a process that failed', () => {
  it('is replayed: the node fails where we do', async () => {
    const peer = await SchedulingPeer.open(keys, { fails: true, anchor: 'fails' });
    const report = await verify(peer.url(), {}, await node(peer));
    expect(report.problems).toEqual([]);
    expect(report.level).toBe('replayed');
    expect(report.facts.replayed?.compared).toEqual(['failure']);
  });

  it('is not believed to have answered', async () => {
    const peer = await SchedulingPeer.open(keys, { fails: true, anchor: 'fails' });
    peer.instead(/compute&slot=[45]/, () => peer.reply(Message.of({ count: 5n, results: { output: {} } })));
    const report = await verify(peer.url(), {}, await node(peer));
    expect(codes(report)).toContain('answer-differs');
    expect(report.problems.find(({ code }) => code === 'answer-differs')?.slot).toBe(4);
  });
});

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
  it.each<[string, string, () => Message]>([
    ['shows no report', 'SNP_JSON', () => Message.of({ address: 'x' })],
    ['shows a report that is none', 'SNP_JSON', () => Message.of({ report: '{"version":2}' })],
    [
      'shows the report of another key',
      'SNP_REPORT_DATA',
      () => Message.of({ report: report(keys.stranger.address) }),
    ],
    [
      'runs a program that nobody trusts',
      'SNP_MEASUREMENT',
      () => Message.of({ report: report(keys.scheduler.address) }),
    ],
  ])('is not believed when it %s', async (_, code, answer) => {
    const peer = liar();
    peer.instead(/snp@1\.0/, () => peer.reply(answer()));
    const found = await verify(peer.url(), trust, await node(peer));
    expect(codes(found)).toContain(code);
    expect(accepted(found)).toBe(false);
  });
});
