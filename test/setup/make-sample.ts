/**
 * Makes `public/samples/recorded.json` from the recorded data: `npx tsx test/setup/make-sample.ts`. The process with the
 * most slots whose states hold balances is taken; the twin's lie is a balance that its holder does not have.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Message } from '../../src/message/message.ts';
import { toPlain } from '../../src/message/plain.ts';
import { plainToJson } from '../../src/node/plain-json.ts';
import type { RecordedProcess } from '../../src/node/sample-peer.ts';
import type { ProcessCase } from '../conformance/families/support/process-case.ts';
import { toMessage, toValue } from '../conformance/value.ts';

const root = join(import.meta.dirname, '../..');
const cases = JSON.parse(readFileSync(join(root, 'test/vectors/process-lua.json'), 'utf8')) as ProcessCase[];

const withBalances = cases
  .filter(({ slots }) => slots.length <= 100 && slots.every(({ status }) => status < 400))
  .filter(({ slots }) => slots.some(({ state }) => state !== undefined && toMessage(state).has('balances')))
  .sort((a, b) => b.slots.length - a.slots.length);
const chosen = withBalances[0];
if (!chosen) throw new Error('No recorded process holds balances.');

const states = chosen.slots.map(({ state, results }) => {
  const message = state === undefined ? Message.empty : toMessage(state);
  return results === undefined ? message : message.with({ results: toValue(results) });
});
const slot = Math.floor(states.length / 2);
const balances = states[slot]!.message('balances');
const holder = [...(balances?.keys() ?? [])].sort()[0];
if (!holder) throw new Error('Nobody holds a balance half-way.');

const record: RecordedProcess = {
  process: chosen['process-id'],
  schedule: {
    headers: Object.entries(chosen.schedule.response.headers),
    body: chosen.schedule.response.body,
  },
  messages: Object.fromEntries(
    chosen.preload.map(({ id, message }) => [id, plainToJson(toPlain(toValue(message!)))]),
  ),
  states: states.map((state) => plainToJson(toPlain(state))),
  lie: { slot, path: ['balances', holder], value: '1000000' },
};
writeFileSync(join(root, 'public/samples/recorded.json'), `${JSON.stringify(record)}\n`);
