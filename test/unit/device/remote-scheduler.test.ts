/** Processes whose scheduler is elsewhere: found by record or hint, through redirects, on either network. */
import { beforeAll, describe, expect, it } from 'vitest';
import { fromBytes, toBytes } from '../../../src/base/bytes.ts';
import { DataItem } from '../../../src/codec/ans104-item.ts';
import { verifyItem } from '../../../src/commitment/ans104-verify.ts';
import { commitmentDevice } from '../../../src/commitment/devices.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { Message, type ValueInput } from '../../../src/message/message.ts';
import { binaryBytes } from '../../../src/message/value.ts';
import { handle } from '../../../src/node/http.ts';
import type { HttpRequest, HttpResponse } from '../../../src/resolver/context.ts';
import { scheduled, signed, testNode, testWallet, type TestNode } from '../../setup/test-node.ts';

type Site = (request: HttpRequest, path: string) => Promise<HttpResponse> | HttpResponse;

/** What answers under which origin. */
const web = new Map<string, Site>();
const http = {
  request(request: HttpRequest): Promise<HttpResponse> {
    const { origin } = new URL(request.target);
    const site = web.get(origin);
    if (!site) return Promise.reject(new TypeError('There is no such site.'));
    return Promise.resolve(site(request, request.target.slice(origin.length)));
  },
};
const reply = (status: number, body = '', headers: [string, string][] = []): HttpResponse => ({
  status,
  headers,
  body: toBytes(body),
});

let other: RsaWallet;
let here: TestNode;
let there: TestNode;
let process: { id: string; definition: Message };

const signedBy = (wallet: RsaWallet, keys: Readonly<Record<string, ValueInput>>) =>
  commitmentDevice('httpsig@1.0')!.commit(Message.of(keys), { type: 'signed' }, { signer: wallet });

async function ask(
  { context }: TestNode,
  keys: Readonly<Record<string, ValueInput>>,
): Promise<{ status: string; value: Message }> {
  const { status, value } = await context.resolve(Message.of({ device: 'scheduler@1.0' }), Message.of(keys));
  return { status, value: value as Message };
}

const slots = (answer: Message) => [...(answer.message('assignments') ?? Message.empty).keys()];

beforeAll(async () => {
  await testWallet();
  other = await RsaWallet.generate();
  here = await testNode({ capabilities: { http } });
  there = await testNode({
    capabilities: { http, identity: other },
    config: Message.of({
      'scheduler-location-notify-peers': ['https://here.example/', 'https://gone.example'],
    }),
  });
  web.set('https://here.example', (request, path) => handle({ ...request, target: path }, here.context));
  web.set('https://there.example', (request, path) => handle({ ...request, target: path }, there.context));
  web.set('https://moved.example', (_request, path) =>
    reply(307, '', [['Location', `https://there.example${path}`]]),
  );
  const definition = await signed({
    type: 'Process',
    device: 'process@1.0',
    scheduler: other.address,
    name: 'elsewhere',
  });
  process = { id: messageId(definition, 'signed'), definition };
  await there.context.cache.write(definition);
  await ask(there, { path: 'schedule', method: 'POST', body: definition });
  await here.context.cache.write(definition);
}, 120_000);

describe('a process that another node schedules', () => {
  it('is reached by a hint that comes with its ID', async () => {
    const target = `${process.id}?hint=${encodeURIComponent('https://there.example')}`;
    const message = await signed({ type: 'Message', target, action: 'Hinted' });
    const posted = await ask(here, { path: 'schedule', method: 'POST', body: message });
    expect(posted.value.get('slot')).toBe(1n);
    expect(slots((await ask(here, { path: 'schedule', target })).value)).toEqual(['0', '1']);
    const deaf = await testNode({
      capabilities: { http },
      config: Message.of({ 'scheduler-follow-hints': false }),
    });
    await deaf.context.cache.write(process.definition);
    expect((await ask(deaf, { path: 'schedule', target })).value.text('reason')).toBe('scheduler-unknown');
  });

  it('is reached by the record of which its scheduler told its peers, also where that moved', async () => {
    const record = await signedBy(other, { url: 'https://moved.example', nonce: 1n });
    const made = await ask(there, { path: 'location', method: 'POST', body: record });
    expect(made.value.text('type')).toBe('scheduler-location');
    expect(there.events.filter(({ type }) => type === 'peer-not-told').map(({ peer }) => peer)).toEqual([
      'https://gone.example',
    ]);
    const known = await ask(here, { path: 'location', address: other.address });
    expect(known.value.message('body')?.text('url')).toBe('https://moved.example');

    const message = await signed({ type: 'Message', target: process.id, action: 'Moved' });
    const posted = await ask(here, { path: 'schedule', method: 'POST', body: message });
    expect(posted.value.get('slot')).toBe(2n);
    expect(slots((await ask(here, { path: 'schedule', target: process.id })).value)).toEqual(['0', '1', '2']);
  });

  it('is not looked for in a circle, nor anywhere but in the web', async () => {
    const definition = await signed({ type: 'Process', scheduler: other.address, name: 'circle' });
    await here.context.cache.write(definition);
    const id = messageId(definition, 'signed');
    const at = (url: string) => `${id}?hint=${encodeURIComponent(url)}`;
    web.set('https://a.example', (_request, path) =>
      reply(307, '', [['location', `https://b.example${path}`]]),
    );
    web.set('https://b.example', (_request, path) =>
      reply(308, '', [['location', `https://a.example${path}`]]),
    );
    web.set('https://file.example', () => reply(302, '', [['location', 'file:///etc/passwd']]));
    for (const [url, code] of [
      ['https://a.example', 'redirect-circle'],
      ['https://file.example', 'bad-redirect'],
    ] as const) {
      const { value } = await ask(here, { path: 'schedule', target: at(url) });
      expect(value.get('status')).toBe(502n);
      expect(value.text('reason')).toBe(code);
    }
  });
});

describe('push@1.0 across nodes', () => {
  it('goes to a process elsewhere, and as a data item to one of a legacynet scheduler unit', async () => {
    const unit = await RsaWallet.generate();
    const received: { path: string; item: DataItem }[] = [];
    web.set('https://unit.example', (request, path) => {
      if (request.method === 'POST') {
        received.push({ path, item: DataItem.parse(request.body as Uint8Array<ArrayBuffer>) });
        return reply(201, '{}');
      }
      const at = received.findIndex(({ item }) => path.startsWith(`/${item.idText}?`));
      if (at < 0) return reply(404);
      return reply(
        200,
        JSON.stringify({ assignment: { tags: [{ name: 'Nonce', value: String(40 + at) }] } }),
      );
    });
    await ask(here, {
      path: 'record',
      method: 'POST',
      body: await signedBy(unit, {
        type: 'scheduler-location',
        url: 'https://unit.example',
        variant: 'ao.TN.1',
        nonce: 1n,
      }),
    });
    const legacy = await signed({ type: 'Process', scheduler: unit.address, variant: 'ao.TN.1' });
    await here.context.cache.write(legacy);
    const target = messageId(legacy, 'signed');
    const a = await scheduled(here, 'native', [], { name: 'sender' });
    const push = async (to: string) => {
      const body = await signed({ type: 'Message', target: a.id, action: 'Send', to, next: '7' });
      const { value } = await here.context.resolve(
        a.definition.with({ device: 'process@1.0' }),
        Message.of({ path: 'push', method: 'POST', body }),
      );
      return (value as Message).message('1')!;
    };
    expect((await push(process.id)).get('slot')).toBe(3n);

    const sent = await push(target);
    expect(sent.get('slot')).toBe(40n);
    expect(received).toHaveLength(1);
    const [{ path, item }] = received as [{ path: string; item: DataItem }];
    expect(path).toBe(`/?proc-id=${target}`);
    expect(await verifyItem(item)).toBe(true);
    const tags = Object.fromEntries(
      item.tags.map(({ name, value }) => [name, fromBytes(binaryBytes(value))]),
    );
    expect(tags).toMatchObject({ 'from-process': a.id, 'data-protocol': 'ao', type: 'Message', by: '7' });
    expect(sent.text('id')).toBe(item.idText);
  });

  it('signs for those alone whose policy or authority names this node, where it is told so', async () => {
    const strict = await testNode({ config: Message.of({ 'push-always-sign': false }) });
    const { address } = await testWallet();
    const policy = await strict.context.cache.write(Message.of({ 'accept-committers': [address] }));
    const a = await scheduled(strict, 'native', [], { name: 'strict' });
    const answers: (string | undefined)[] = [];
    for (const keys of [
      { authority: other.address },
      { authority: other.address, policy },
      { authority: other.address, policy: 'rules/push', rules: { push: { 'accept-committers': address } } },
      { authority: address, policy: { 'accept-committers': other.address } },
    ] satisfies Record<string, ValueInput>[]) {
      const { id } = await scheduled(strict, 'native', [], keys);
      const body = await signed({ type: 'Message', target: a.id, action: 'Send', to: id, next: '1' });
      const { value } = await strict.context.resolve(
        a.definition.with({ device: 'process@1.0' }),
        Message.of({ path: 'push', method: 'POST', body }),
      );
      const sent = (value as Message).message('1')!;
      answers.push(sent.text('reason')?.slice(0, 30) ?? String(sent.get('slot')));
    }
    const refused = 'Application of security policy';
    expect(answers).toEqual([refused, '1', '1', refused]);
  });
});
