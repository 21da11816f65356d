/**
 * `commit-multi`: messages with several commitments. What `message@1.0` says of each, its encodings, and the steps that
 * led to it taken again with keys of ours; and changed encodings, with what is left of their commitments.
 *
 * `insecure`: the reference accepts what is forged, so at least one commitment has to be refused, and every selection with
 * it. `limit`: a shortcoming of the reference; verification may come out either way there, all else still holds.
 */
import { toBytes } from '../../../src/base/bytes.ts';
import {
  committers,
  EVERY,
  selectCommitments,
  selectionOf,
  SIGNED,
  withOnlyCommitted,
} from '../../../src/commitment/select.ts';
import { encodeJson } from '../../../src/codec/json.ts';
import { type Load, loadLinks } from '../../../src/commitment/link.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { verifyMessage } from '../../../src/commitment/verify.ts';
import { message as messageDevice } from '../../../src/device/message.ts';
import { byteOrder } from '../../../src/message/order.ts';
import type { Message } from '../../../src/message/message.ts';
import type { Link, Value } from '../../../src/message/value.ts';
import { check, checkJson, defineFamily, type Json, Mismatch } from '../family.ts';
import { expectValue, fromValue, isError, toMessage, toValue } from '../value.ts';
import { testContext } from './support/context.ts';
import { loader } from './support/links.ts';
import { replay, type Step } from './support/replay.ts';
import { checkWire, isTrueJson, type Leeway, type Wire } from './support/wire.ts';
import { isResult } from '../../../src/resolver/device.ts';

interface Check {
  readonly key: string;
  readonly request: Json;
  readonly result: Json;
}

interface Summary {
  readonly 'id-none': string;
  readonly 'id-all': string;
  readonly committers: Json;
  readonly 'verify-all': Json;
  readonly 'verify-every-commitment': Json;
}

interface MultiCase {
  readonly kind: string;
  readonly limit?: string;
  readonly insecure?: boolean;
  readonly wires: readonly Wire[];
  readonly message?: Json;
  readonly start?: Json;
  readonly steps?: readonly Step[];
  readonly store?: readonly { readonly id: string; readonly message: Json }[];
  readonly checks?: readonly Check[];
  readonly summary?: Summary;
  readonly json?: string;
  readonly 'with-only-committed'?: Json;
  readonly 'commitments-kept'?: boolean;
  readonly 'verify-request'?: Json;
}

export default defineFamily<MultiCase>({
  family: 'commit-multi',
  async run({ data }) {
    if (data.kind === 'wire') {
      const leeway: Leeway = { limited: data.limit !== undefined, refused: new Map() };
      for (const [index, wire] of data.wires.entries())
        await checkWire(wire, loader(), leeway, `wires/${index}`);
      return;
    }
    await checkCommitCase(data);
  },
});

async function checkCommitCase(data: MultiCase): Promise<void> {
  const message = toMessage(data.message!);
  const start = toMessage(data.start!);
  const stored = data.store!.map((entry) => toValue(entry.message));
  const byId = new Map(data.store!.map(({ id }, index) => [id, stored[index]!]));
  const known = loader(message, start, ...stored);
  const load: Load = async (link: Link) => byId.get(link.id) ?? known(link);
  for (const [index, { id }] of data.store!.entries()) {
    // A path inside a stored message is no ID of its own.
    if (id.includes('/')) continue;
    const values = [stored[index]!, await loadLinks(stored[index]!, load)];
    const ids = values.flatMap((value) => [messageId(value, 'unsigned'), messageId(value, 'signed')]);
    if (!ids.includes(id)) throw new Mismatch(id, ids, `store/${index}`);
  }
  const secret = data['verify-request'];
  const refused = data.insecure ? await refusedCommitments(message, load) : new Map<string, Message>();
  if (data.insecure && refused.size === 0) throw new Mismatch('a refused commitment', 'none', 'insecure');
  const leeway: Leeway = { limited: data.limit !== undefined, refused };

  check(data['commitments-kept'], message.has('commitments'), 'commitments-kept');
  const context = await testContext();
  for (const value of [start, message]) await context.cache.write(await loadLinks(value, load));
  for (const [index, { id }] of data.store!.entries())
    if (!id.includes('/')) await context.cache.write(await loadLinks(stored[index]!, load));
  for (const [index, one] of data.checks!.entries())
    await checkKey(message, one, secret, leeway, `checks/${index} ${one.key}`, (request) =>
      Promise.resolve(messageDevice.keys[one.key]!(message, request, context)),
    );
  await checkSummary(message, data.summary!, load, leeway, secret);
  const cut = withOnlyCommitted(message);
  const left = byteOrder([...cut.keys()].filter((key) => key !== 'commitments'));
  checkJson(data['with-only-committed'], { $list: left }, 'with-only-committed');

  for (const [index, wire] of data.wires.entries())
    await checkWire(wire, load, leeway, `wires/${index}`, message, secretOf(secret));
  const whole = await loadLinks(message, load);
  checkJson(JSON.parse(data.json!), JSON.parse(encodeJson(whole)), 'json');

  if (!data.insecure) await checkReplay(message, start, data, load);
}

/** Commitments of a forged message that we do not accept. */
async function refusedCommitments(message: Message, load: Load): Promise<Map<string, Message>> {
  const out = new Map<string, Message>();
  for (const [id, commitment] of message.message('commitments') ?? [])
    if (!(await verifyMessage(message, { commitments: [id] }, { load }))) out.set(id, commitment as Message);
  return out;
}

/** One key of `message@1.0`, against what the reference answered. */
async function checkKey(
  message: Message,
  { key, request, result }: Check,
  extra: Json | undefined,
  leeway: Leeway,
  where: string,
  ask: (request: Message) => Promise<unknown>,
): Promise<void> {
  const more = extra !== undefined && key === 'verify' ? toMessage(extra) : undefined;
  const asked = toMessage(request);
  let got: Value | undefined;
  try {
    const answer = await ask(more ? more.with(asked) : asked);
    if (!isResult(answer)) got = answer as Value;
    else if (answer.status === 'ok') got = answer.value;
  } catch (thrown) {
    if (!(thrown instanceof Error) || thrown.name !== 'AoError') throw thrown;
  }
  if (isError(result)) {
    // A refusal to verify may be a plain no.
    if (got === undefined || (key === 'verify' && isFalse(got))) return;
    throw new Mismatch('a refusal', fromValue(got), where);
  }
  if (key === 'verify') {
    const yes = got !== undefined && !isFalse(got);
    if (leeway.refused.size && selectsRefused(message, asked, leeway)) check(false, yes, where);
    else if (!leeway.limited) check(isTrueJson(result), yes, where);
    return;
  }
  await expectValue(result, got, { where });
}

function isFalse(value: Value): boolean {
  return JSON.stringify(fromValue(value)) === '{"$atom":"false"}';
}

/** True if this selection has a commitment in it that is not accepted. */
function selectsRefused(message: Message, request: Message, { refused }: Leeway): boolean {
  return selectCommitments(message, selectionOf(request)).some((id) => refused.has(id));
}

/** The secret that goes with every verification of a case. */
function secretOf(request: Json | undefined): Uint8Array | undefined {
  const secret = request === undefined ? undefined : toMessage(request).text('secret');
  return secret === undefined ? undefined : toBytes(secret);
}

async function checkSummary(
  message: Message,
  summary: Summary,
  load: Load,
  leeway: Leeway,
  extra: Json | undefined,
): Promise<void> {
  check(summary['id-none'], messageId(message, 'unsigned'), 'summary/id-none');
  check(summary['id-all'], messageId(message, 'signed'), 'summary/id-all');
  const options = { load, secret: secretOf(extra) };
  for (const [key, selection] of [
    ['verify-all', SIGNED],
    ['verify-every-commitment', EVERY],
  ] as const) {
    const yes = await verifyMessage(message, selection, options);
    if (leeway.refused.size && key === 'verify-every-commitment') check(false, yes, `summary/${key}`);
    else if (!leeway.limited && !leeway.refused.size) check(isTrueJson(summary[key]), yes, `summary/${key}`);
  }
  checkJson(summary.committers, fromValue(committers(message)), 'summary/committers');
}

/** The same steps by keys of ours lead to the same commitments, but for the signatures. */
async function checkReplay(message: Message, start: Message, data: MultiCase, load: Load): Promise<void> {
  const steps = data.steps!;
  if (steps.some((step) => step.forge !== undefined)) return;
  const again = await replay(start, steps, load);
  await expectValue(fromValue(message.without('commitments')), again.without('commitments'), {
    where: 'replay',
    id: (value) => messageId(value, 'signed'),
  });
  checkJson(shapes(message), shapes(again), 'commitments of the replay');
  check(data.summary!['id-none'], messageId(again, 'unsigned'), 'id-none of the replay');
  const options = { load, secret: secretOf(data['verify-request']) };
  if (data.limit === undefined)
    for (const [key, selection] of [
      ['verify-all', SIGNED],
      ['verify-every-commitment', EVERY],
    ] as const)
      check(isTrueJson(data.summary![key]), await verifyMessage(again, selection, options), `replay ${key}`);
}

/** What of the commitments does not depend on who signed: HMACs as they are, of signatures the fields that are not theirs. */
function shapes(message: Message): Json {
  const out: string[] = [];
  for (const [, value] of message.message('commitments') ?? []) {
    const commitment = value as Message;
    const hmac = commitment.text('type') === 'hmac-sha256';
    const shape = hmac ? commitment : commitment.without('signature', 'keyid', 'committer');
    out.push(JSON.stringify(sorted(fromValue(shape))));
  }
  return out.sort();
}

function sorted(json: Json): Json {
  if (Array.isArray(json)) return json.map(sorted);
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.keys(json)
      .sort()
      .map((key) => [key, sorted(json[key]!)]),
  );
}
