import { beforeAll, describe, expect, it } from 'vitest';
import { decodeHttpMessage, encodeHttp, httpForm } from '../../../src/commitment/http.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { verifyMessage } from '../../../src/commitment/verify.ts';
import { knownProcesses } from '../../../src/device/schedule-records.ts';
import { nextHash, Schedules } from '../../../src/device/schedules.ts';
import { fromBytes } from '../../../src/base/bytes.ts';
import { Message } from '../../../src/message/message.ts';
import { binaryBytes } from '../../../src/message/value.ts';
import type { Context, HttpRequest } from '../../../src/resolver/context.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { auditAssignment, auditDefinition } from '../../../src/verify/native-audit.ts';
import { handle } from '../../../src/node/http.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { scheduled, send, signed, testNode, testWallet, type TestNode } from '../../setup/test-node.ts';

let node: TestNode;
let context: NodeContext;
beforeAll(async () => {
  node = await testNode();
  ({ context } = node);
}, 60_000);

async function post(path: string, body: Message): Promise<Message> {
  return (await context
    .resolve(Message.of({ device: 'scheduler@1.0' }), Message.of({ path, method: 'POST', body }))
    .then(({ value }) => value)) as Message;
}

async function read(
  process: string,
  request: Record<string, string | bigint> = {},
  asked: Context = context,
): Promise<Message> {
  const { value } = await asked.resolve(
    Message.of({ device: 'scheduler@1.0' }),
    Message.of({ path: 'schedule', target: process, ...request }),
  );
  return value as Message;
}

const slots = (answer: Message) => [...(answer.message('assignments') ?? Message.empty).keys()];

describe('scheduler@1.0', () => {
  it('assigns slot 0 to a process, then one slot after the other, chained and signed', async () => {
    const { address } = await testWallet();
    const definition = await signed({
      type: 'Process',
      device: 'process@1.0',
      scheduler: address,
      n: 'chain',
    });
    const id = messageId(definition, 'signed');
    const first = await post('schedule', definition);
    expect(first.get('slot')).toBe(0n);
    expect(first.text('process')).toBe(id);
    expect(first.text('epoch')).toBe('0');
    expect(first.text('path')).toBe('compute');
    expect(first.text('hash-chain')).toBe(nextHash('', id));
    const message = await signed({ type: 'Message', target: id, action: 'A' });
    const second = await post('schedule', message);
    expect(second.get('slot')).toBe(1n);
    expect(second.text('hash-chain')).toBe(nextHash(first.text('hash-chain')!, messageId(message, 'signed')));
    let state = await auditDefinition(id, definition);
    for (const assignment of [first, second]) {
      expect(await verifyMessage(assignment)).toBe(true);
      state = (await auditAssignment(state, assignment)).state;
    }
  });

  it('follows the vectors of the hash chain', () => {
    const first = nextHash('', 'HaQD-1LlaFUA0cbXys8Ljrf3Z2VuysRcdY6L4jyCWqo');
    expect(first).toBe('8sOJbZgWCqP_CboyNIt1zKKV3No9i2xJAzHiDFFO-KQ');
    expect(nextHash(first, 'f_A2LEp6KNMg3AXnkpxB3pRSILO2vgIqPxyg83Jhk8Q')).toBe(
      '5Ri7RYZ-RD-i2YjOeYbuwmTbd42WaOFe15pV3y3jdSI',
    );
  });

  it('goes on after a restart with the raw hash, also when the clock went backwards', async () => {
    const first = await testNode();
    const { id, definition } = await scheduled(first, 'native', [{ action: 'A' }]);
    const second = await first.again();
    second.clock.time -= 3_600_000;
    await send(second, id, [{ action: 'B' }]);
    const kept = await Schedules.of(second.context).read(id, 0, 9, second.context);
    let state = await auditDefinition(id, definition);
    for (const { assignment } of kept) {
      const { state: next, audited } = await auditAssignment(state, assignment);
      expect(audited.notes).toEqual([]);
      state = next;
    }
    expect(state.slot).toBe(2);
    expect(state.restarts).toEqual([]);
  });

  it('refuses what is unsigned or was changed, and drops keys that nobody signed', async () => {
    const { id } = await scheduled(node, 'native', []);
    const unsigned = await post('schedule', Message.of({ type: 'Message', target: id }));
    expect(unsigned.get('status')).toBe(400n);
    expect(unsigned.text('body')).toBe('Message is not valid.');
    const good = await signed({ type: 'Message', target: id, action: 'A' });
    expect((await post('schedule', good.with({ action: 'B' }))).get('status')).toBe(400n);
    const extra = await post('schedule', good.with({ extra: 'uncommitted' }));
    expect(extra.message('body')!.has('extra')).toBe(false);
    expect((await read(id)).message('assignments')!.size).toBe(2);
  });

  it('gives two messages that arrive together two slots', async () => {
    const { id } = await scheduled(node, 'native', [], { name: 'together' });
    const messages = await Promise.all(
      Array.from({ length: 8 }, (_, n) => signed({ type: 'Message', target: id, n: String(n) })),
    );
    const answers = await Promise.all(messages.map((message) => post('schedule', message)));
    const given = answers.map((answer) => Number(answer.get('slot'))).sort((a, b) => a - b);
    expect(given).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('answers ranges, empty ones and the head', async () => {
    const { id } = await scheduled(node, 'native', [{ n: '1' }, { n: '2' }, { n: '3' }], { name: 'ranges' });
    expect(slots(await read(id, { from: '1', to: '2' }))).toEqual(['1', '2']);
    expect(slots(await read(id, { from: '-5', to: 1n }))).toEqual(['0', '1']);
    const past = await read(id, { from: '100' });
    expect(slots(past)).toEqual([]);
    expect(String((past.get('continues') as { name: string }).name)).toBe('false');
    const { value } = await context.resolve(
      Message.of({ device: 'scheduler@1.0' }),
      Message.of({ path: 'slot', target: id }),
    );
    expect((value as Message).get('current')).toBe(3n);
  });

  it('answers at most 1001 assignments and says that there are more', async () => {
    const { id } = await scheduled(node, 'native', [{ n: '1' }], { name: 'long' });
    const schedules = Schedules.of(context);
    const [, one] = await schedules.read(id, 0, 1, context);
    await node.store.write(
      Array.from({ length: 1500 }, (_, n) => ({
        table: 'assignments' as const,
        key: [id, n + 2],
        value: {
          id: one!.id,
          message: new Map([['slot', BigInt(n + 2)]]),
        },
      })),
    );
    const head = await schedules.head(id, context);
    await node.store.write([{ table: 'processes', key: id, value: { ...head, slot: 1501 } }]);
    const page = await read(id, {}, (await node.again()).context);
    expect(slots(page)).toHaveLength(1001);
    expect(String((page.get('continues') as { name: string }).name)).toBe('true');
  });

  it('answers the form that compute units read', async () => {
    const { id } = await scheduled(node, 'native', [{ action: 'Eval', data: '1' }], { name: 'aos-2' });
    const answer = await read(id, { accept: 'application/aos-2', from: '1' });
    expect(answer.text('content-type')).toBe('application/json');
    const page = JSON.parse(answer.text('body')!) as {
      edges: {
        cursor: number;
        node: { message: { Tags: { name: string }[] }; assignment: { Tags: { name: string }[] } };
      }[];
    };
    expect(page.edges.map(({ cursor }) => cursor)).toEqual([1]);
    expect(page.edges[0]!.node.message.Tags.map(({ name }) => name)).toEqual(['Action', 'Type']);
    expect(page.edges[0]!.node.assignment.Tags.map(({ name }) => name)).toContain('Hash-Chain');
  });

  it('knows where it is not the scheduler', async () => {
    const other = await RsaWallet.generate();
    const definition = await signed({ type: 'Process', device: 'process@1.0', scheduler: other.address });
    const id = messageId(definition, 'signed');
    await context.cache.write(definition);
    const refused = await context
      .resolve(
        Message.of({ device: 'scheduler@1.0' }),
        Message.of({ path: 'schedule', method: 'POST', body: definition }),
      )
      .catch((error: unknown) => error as { code: string });
    expect((refused as { code?: string }).code).toBe('scheduler-unknown');
    expect(await knownProcesses(node.store)).not.toContain(id);
    const none = await context.resolve(
      Message.of({ device: 'scheduler@1.0' }),
      Message.of({ path: 'location', address: other.address }),
    );
    expect((none.value as Message).text('body')).toBe(`No location found for address: ${other.address}`);
  }, 30_000);

  it('takes a process and its messages over HTTP, and pushes from there', async () => {
    const { address } = await testWallet();
    const image = await context.cache.write(Message.of({ body: new Uint8Array([0, 97, 115, 109]) }));
    const definition = await signed({
      type: 'Process',
      device: 'process@1.0',
      scheduler: address,
      authority: address,
      'execution-device': 'stack@1.0',
      'device-stack': ['wasi@1.0', 'json-iface@1.0', 'wasm-64@1.0', 'patch@1.0', 'multipass@1.0'],
      'output-prefix': 'wasm',
      passes: 2n,
      image,
      name: 'http',
    });
    const id = messageId(definition, 'signed');
    const spawned = await http('/push', definition);
    expect(spawned.text('process')).toBe(id);
    expect(spawned.get('slot')).toBe(0n);
    const message = await signed({ type: 'Message', target: id, action: 'Add', by: '4' });
    const pushed = await http(`/${id}~process@1.0/push`, message);
    expect(pushed.get('slot')).toBe(1n);
    expect(pushed.text('data')).toBe('4');
  });
});

async function http(target: string, message: Message): Promise<Message> {
  const form = await encodeHttp(message, { bundle: true });
  const headers = [...form.headers].map(([name, value]): [string, string] => [
    name,
    fromBytes(binaryBytes(value)),
  ]);
  const request: HttpRequest = { method: 'POST', target, headers, body: form.body ?? new Uint8Array(0) };
  const response = await handle(request, context);
  if (response.status !== 200) throw new Error(`${response.status} ${fromBytes(response.body)}`);
  return decodeHttpMessage(httpForm(response.headers, response.body));
}
