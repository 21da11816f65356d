import { beforeAll, describe, expect, it } from 'vitest';
import { fromBytes, toBytes } from '../../../src/base/bytes.ts';
import { driveOf } from '../../../src/device/weave-drive.ts';
import { Message, type ValueInput } from '../../../src/message/message.ts';
import type { HttpRequest } from '../../../src/resolver/context.ts';
import { testNode, testWallet } from '../../setup/test-node.ts';

const SCHEDULER = 'S'.repeat(43);
const ATTESTOR = 'T'.repeat(43);
const STRANGER = 'X'.repeat(43);
const REMOTE = 'r'.repeat(43);
const BOOT = 'b'.repeat(43);

interface Attestation {
  readonly type: string;
  readonly id: string;
  readonly owner: string;
  readonly height: number;
}

/** A node whose gateway has some data and some attestations; `asked` holds the paths that it was asked for. */
async function nodeWith(attestations: readonly Attestation[], status = 200) {
  const asked: string[] = [];
  const respond = (body: string, code = status) => ({ status: code, headers: [], body: toBytes(body) });
  const request = async ({ target, body }: HttpRequest) => {
    const path = target.replace('https://gateway.example', '');
    asked.push(path);
    if (path === '/graphql') {
      const { variables } = JSON.parse(fromBytes(body)) as {
        variables: { tags: { name: string; values: string[] }[] };
      };
      const tag = (name: string) => variables.tags.find((one) => one.name === name)?.values[0];
      const id = tag('Message') ?? tag('ID');
      const edges = attestations
        .filter((one) => one.id === id && one.type === tag('Type'))
        .map(({ owner, height }) => ({ node: { owner: { address: owner }, block: { height } } }));
      return respond(JSON.stringify({ data: { transactions: { edges } } }));
    }
    if (path === `/raw/${REMOTE}` || path === `/raw/${BOOT}`) return respond(`data of ${path.slice(5)}`);
    if (path === '/block/height/7') return respond('{"height":7}');
    return respond('', 404);
  };
  const { context } = await testNode({
    capabilities: { http: { request } },
    config: Message.of({ gateway: 'https://gateway.example/' }),
  });
  return { context, asked };
}

const process = (more: Readonly<Record<string, ValueInput>> = {}) =>
  Message.of({ type: 'Process', scheduler: SCHEDULER, ...more });
const extended = process({ extension: 'WeaveDrive', attestor: ATTESTOR });
const at = (owner: string, height = 5, type = 'Attestation', id = REMOTE) => ({ type, id, owner, height });
const text = (octets: Uint8Array | undefined) => octets && fromBytes(octets);

// Making a key takes a while on a busy machine.
beforeAll(() => testWallet(), 120_000);

describe('the drive of a process', () => {
  it('is none for a process that asks for none', async () => {
    const { context } = await nodeWith([]);
    expect(driveOf(process(), undefined, context)).toBeUndefined();
    expect(driveOf(process(), Message.of({ extension: 'WeaveDrive' }), context)).toBeDefined();
  });

  it.each([
    ['the scheduler', at(SCHEDULER)],
    ['an attestor', at(ATTESTOR)],
  ])('gives data that %s attested', async (_who, attestation) => {
    const { context } = await nodeWith([attestation]);
    expect(text(await driveOf(extended, undefined, context)!(`/data/${REMOTE}`, 5))).toBe(
      `data of ${REMOTE}`,
    );
  });

  it.each([
    ['nobody attested', []],
    ['a stranger attested', [at(STRANGER)]],
    ['was attested later', [at(ATTESTOR, 6)]],
    ['was said to be available, in another mode', [at(ATTESTOR, 5, 'Available')]],
  ])('refuses data that %s, and never fetches it', async (_why, attestations) => {
    const { context, asked } = await nodeWith(attestations);
    expect(await driveOf(extended, undefined, context)!(`/data/${REMOTE}`, 5)).toBeUndefined();
    expect(asked).not.toContain(`/raw/${REMOTE}`);
  });

  it('takes word of availability where the process says Individual', async () => {
    const { context } = await nodeWith([at(ATTESTOR, 5, 'Available')]);
    const individual = extended.with({ 'availability-type': 'Individual' });
    expect(await driveOf(individual, undefined, context)!(`/data/${REMOTE}`, 5)).toBeDefined();
  });

  it('gives what the process boots from without any attestation, and nothing else', async () => {
    const { context } = await nodeWith([at(SCHEDULER)]);
    const drive = driveOf(process({ 'on-boot': BOOT }), undefined, context)!;
    expect(text(await drive(`/data/${BOOT}`, 0))).toBe(`data of ${BOOT}`);
    expect(await drive(`/data/${REMOTE}`, 5)).toBeUndefined();
    expect(await drive('/block/7', 9)).toBeUndefined();
  });

  it('reads from the store before the gateway', async () => {
    const { context, asked } = await nodeWith([]);
    const id = await context.cache.write(Message.of({ data: 'here' }));
    expect(text(await driveOf(process({ 'on-boot': id }), undefined, context)!(`/data/${id}`))).toBe('here');
    expect(asked).toEqual([]);
  });

  it('gives blocks up to the height of the message, and no other paths', async () => {
    const { context } = await nodeWith([]);
    const drive = driveOf(extended, undefined, context)!;
    expect(text(await drive('/block/7', 7))).toBe('{"height":7}');
    expect(await drive('/block/7', 6)).toBeUndefined();
    for (const path of ['/etc/passwd', '/data/../x', '/data/short', '/block/x', '/tx/no'])
      expect(await drive(path, 9)).toBeUndefined();
  });

  it('fails, and gives no answer, when the gateway cannot tell', async () => {
    const { context } = await nodeWith([], 502);
    await expect(driveOf(extended, undefined, context)!(`/data/${REMOTE}`, 5)).rejects.toMatchObject({
      code: 'drive-failed',
    });
  });
});
