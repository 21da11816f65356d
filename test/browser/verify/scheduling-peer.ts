/**
 * A node that schedules and computes a process of its own. Its keys are at hand, so it can lie with valid signatures:
 * as a scheduler, as a node, and as the author of messages.
 */
import { fromBytes, toBase64Url, toBytes, concatBytes, fromBase64 } from '../../../src/base/bytes.ts';
import { AoError } from '../../../src/base/errors.ts';
import { uncommitted } from '../../../src/commitment/commitment.ts';
import { encodeHttp } from '../../../src/commitment/http.ts';
import { commitHttpsig } from '../../../src/commitment/httpsig.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { sha256 } from '../../../src/crypto/hash.ts';
import type { RsaWallet } from '../../../src/crypto/wallet.ts';
import { readAssignments } from '../../../src/device/schedule-records.ts';
import { Schedules } from '../../../src/device/schedules.ts';
import { Message, type ValueInput } from '../../../src/message/message.ts';
import { binaryBytes, isBinary, type Value } from '../../../src/message/value.ts';
import { handle } from '../../../src/node/http.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../../src/resolver/context.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { enginesHere } from '../../conformance/families/support/process-case.ts';
import { testNode } from '../../conformance/node.ts';

export const LEDGER = `
function compute(base, assignment, opts)
  local message = assignment.body
  if message.action == 'fail' then error('this message is no good') end
  base.count = (base.count or 0) + 1
  base.balances = base.balances or { alice = '0', bob = '0' }
  if message.action == 'credit' then base.balances[message.to] = message.quantity end
  base.results = { output = { data = 'message ' .. tostring(base.count) } }
  return base
end`.trim();

/** Named by its ID: a nested message loses its content type on the way through HTTP, and with it its signature. */
const MODULE = Message.of({ 'content-type': 'application/lua', body: LEDGER });

export interface Keys {
  readonly scheduler: RsaWallet;
  readonly author: RsaWallet;
  readonly stranger: RsaWallet;
}

export type Answering = (path: string, honest: () => Promise<HttpResponse>) => Promise<HttpResponse>;

export class SchedulingPeer implements Transport {
  readonly context: NodeContext;
  readonly keys: Keys;
  readonly process: string;
  readonly origin: string;
  readonly asked: string[] = [];
  /** What is answered instead of the truth. */
  answer: Answering = (_, honest) => honest();

  private constructor(context: NodeContext, keys: Keys, process: string, origin: string) {
    this.context = context;
    this.keys = keys;
    this.process = process;
    this.origin = origin;
  }

  /** A ledger with slots 0 to 5, or with a message that it fails on. */
  static async open(
    keys: Keys,
    { fails = false, anchor = 'a' }: { fails?: boolean; anchor?: string } = {},
  ): Promise<SchedulingPeer> {
    const context = await testNode({ identity: keys.scheduler, capabilities: { engines: enginesHere } });
    const definition = await commitHttpsig(
      Message.of({
        device: 'process@1.0',
        type: 'Process',
        'data-protocol': 'ao',
        variant: 'ao.N.1',
        'scheduler-device': 'scheduler@1.0',
        'execution-device': 'lua@5.3a',
        scheduler: keys.scheduler.address,
        authority: keys.scheduler.address,
        module: await context.cache.write(MODULE),
        anchor,
      }),
      keys.author,
      {},
    );
    const process = messageId(definition, 'signed');
    await context.cache.write(definition);
    const schedules = Schedules.of(context);
    await schedules.assign(process, definition, context);
    const peer = new SchedulingPeer(context, keys, process, 'https://ledger.example');
    for (let n = 1; n <= 5; n++) {
      const action = fails && n === 4 ? 'fail' : 'credit';
      const message = await peer.message({ action, to: n % 2 ? 'alice' : 'bob', quantity: String(n * 10) });
      await context.cache.write(message);
      await schedules.assign(process, message, context);
    }
    return peer;
  }

  message(keys: Record<string, ValueInput>, author: RsaWallet = this.keys.author): Promise<Message> {
    return commitHttpsig(Message.of({ target: this.process, type: 'Message', ...keys }), author, {});
  }

  url(rest = 'now'): string {
    return `${this.origin}/${this.process}~process@1.0/${rest}`;
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    const target = request.target.replace(/^https?:\/\/[^/]+/, '');
    this.asked.push(target);
    return this.answer(target, () => handle({ ...request, target }, this.context));
  }

  async assignments(): Promise<Message[]> {
    const found = await readAssignments(this.context.store, this.process, 0, 1000);
    return found.map(({ assignment }) => assignment);
  }

  /** A changed assignment, signed again. */
  resign(
    assignment: Message,
    changes: Record<string, ValueInput>,
    { by = this.keys.scheduler, without = [] }: { by?: RsaWallet; without?: string[] } = {},
  ): Promise<Message> {
    const changed = uncommitted(assignment).with(Object.fromEntries(Message.of(changes)));
    if (without.length === 0) return commitHttpsig(changed, by, {});
    const committed = [...changed.keys()].filter((key) => !without.includes(key));
    return commitHttpsig(changed, by, { committed });
  }

  /** The hash chain of a slot after `previous`, over this message. */
  chain(previous: Message, body: Message): string {
    const before = fromBase64(previous.text('hash-chain')!);
    return toBase64Url(sha256(concatBytes(before, toBytes(messageId(body, 'signed')))));
  }

  /** Answers the schedule with these assignments, under these keys or in this order. */
  shows(page: Message | Message[] | readonly (readonly [string, Value])[], continues = 'false'): void {
    const entries = Array.isArray(page)
      ? page.map((one: unknown, index): [string, Value] =>
          one instanceof Message ? [String(index), one] : [...(one as [string, Value])],
        )
      : [];
    const assignments = page instanceof Message ? page : Message.from(entries);
    const reply = Message.of({ type: 'schedule', process: this.process, continues }).with({ assignments });
    this.instead(/\/schedule/, () => this.reply(reply));
  }

  /** A page of a schedule whose first slot is `from`. */
  page(assignments: readonly Message[], from: number, continues: string): Promise<HttpResponse> {
    const entries = assignments.map((one, at): [string, Message] => [String(from + at), one]);
    const reply = Message.of({ type: 'schedule', process: this.process, continues });
    return this.reply(reply.with({ assignments: Message.from(entries) }));
  }

  /** Answers what fits with something else. */
  instead(pattern: RegExp, make: (honest: () => Promise<HttpResponse>) => Promise<HttpResponse>): void {
    const before = this.answer;
    this.answer = (path, honest) => (pattern.test(path) ? make(honest) : before(path, honest));
  }

  /** A signed answer. */
  async reply(value: Value, { status = 200, by = this.keys.scheduler } = {}): Promise<HttpResponse> {
    const message =
      value instanceof Message
        ? value
        : Message.from([
            ['ao-result', 'body'],
            ['body', value],
          ]);
    return httpOf(await commitHttpsig(message.with({ status: BigInt(status) }), by, {}), status);
  }
}

export async function httpOf(message: Message, status = 200): Promise<HttpResponse> {
  const form = await encodeHttp(message, { bundle: true });
  const headers = [...form.headers].map(([name, text]): [string, string] => {
    if (!isBinary(text)) throw new AoError('bad-value', 'A header is no text.');
    return [name, fromBytes(binaryBytes(text))];
  });
  return { status, headers, body: form.body ?? new Uint8Array(0) };
}
