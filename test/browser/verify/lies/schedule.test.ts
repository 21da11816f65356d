/** Lies about the schedule: what is assigned to which slot, by whom, and in what order. */
import { beforeAll, describe, expect, it } from 'vitest';
import { uncommitted } from '../../../../src/commitment/commitment.ts';
import { commitHttpsig } from '../../../../src/commitment/httpsig.ts';
import { Message } from '../../../../src/message/message.ts';
import { SchedulingPeer } from '../scheduling-peer.ts';
import { accepted, codes, keys, prepare, tried, type Lie } from './support.ts';

beforeAll(prepare, 120_000);

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
    name: 'the hash chain breaks where two pages meet',
    level: 'audited',
    code: 'audit-chain',
    tell: async (peer) => {
      const all = await peer.assignments();
      all[3] = await peer.resign(all[3]!, { 'hash-chain': 'B'.repeat(43) });
      const page = (from: number, to: number, continues: string) => () =>
        peer.reply(
          Message.of({ type: 'schedule', process: peer.process, continues }).with({
            assignments: Message.from(all.slice(from, to).map((one, at) => [String(from + at), one])),
          }),
        );
      peer.instead(/\/schedule$/, page(0, 3, 'true'));
      peer.instead(/\/schedule&from=2/, page(2, 6, 'false'));
    },
  },
  {
    name: 'a slot is listed under two spellings of its number',
    level: 'audited',
    code: 'audit-slot',
    tell: async (peer) => {
      const all = await peer.assignments();
      peer.shows([
        ...all.slice(0, 3).map((one, slot) => [String(slot), one] as const),
        ['02', all[3]!],
        ...all.slice(3).map((one, slot) => [String(slot + 3), one] as const),
      ]);
    },
  },
  {
    name: 'the slot is a text that looks like its number',
    level: 'audited',
    code: 'audit-slot',
    tell: async (peer) => {
      const all = await peer.assignments();
      all[2] = await peer.resign(all[2]!, { slot: '2' });
      peer.shows(all);
    },
  },
  {
    name: 'the process is named with a hint behind it',
    level: 'audited',
    code: 'audit-wrong-process',
    tell: async (peer) => {
      const all = await peer.assignments();
      all[2] = await peer.resign(all[2]!, { process: `${peer.process}?hint=https://evil.example` });
      peer.shows(all);
    },
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

describe('a peer that lies about the schedule', () => {
  it.each(schedules)('is not believed: $name', async (lie) => {
    const report = await tried(lie);
    expect(codes(report)).toContain(lie.code);
    expect(accepted(report)).toBe(false);
    expect(report.facts.audited).toBeUndefined();
  });
});
