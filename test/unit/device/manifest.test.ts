/** `manifest@1.0`: pages by their place in a tree, however the tree was written. */
import { describe, expect, it } from 'vitest';
import { fromBytes } from '../../../src/base/bytes.ts';
import { encodeJson } from '../../../src/codec/json.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { Message } from '../../../src/message/message.ts';
import { Link } from '../../../src/message/value.ts';
import { handle } from '../../../src/node/http.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { testNode } from '../../conformance/node.ts';

async function ask(context: NodeContext, target: string) {
  const headers: [string, string][] = [['accept-bundle', 'true']];
  const { status, body } = await handle({ method: 'GET', target, headers, body: new Uint8Array() }, context);
  return [status, fromBytes(body)];
}

async function site(linked: boolean) {
  const context = await testNode();
  const page = (body: string) => context.cache.write(Message.of({ 'content-type': 'text/html', body }));
  const [home, deep] = [await page('home'), await page('deep')];
  const paths = Message.of({
    'home.html': { id: home },
    blog: { post: { id: deep } },
    'flat/page': { id: deep },
    gone: { id: 'A'.repeat(43) },
  });
  const index = Message.of({ path: 'home.html' });
  for (const part of [paths, index]) await context.cache.write(part);
  const link = (part: Message) => (linked ? new Link(messageId(part, 'unsigned')) : part);
  const manifest = Message.of({ manifest: 'arweave/paths', index: link(index), paths: link(paths) });
  const id = await context.cache.write(Message.of({ device: 'manifest@1.0', body: encodeJson(manifest) }));
  return { context, id };
}

describe('manifest@1.0', () => {
  for (const linked of [false, true])
    it(`finds pages in a tree that is ${linked ? 'linked to' : 'whole'}`, async () => {
      const { context, id } = await site(linked);
      expect(await ask(context, `/${id}/index`)).toEqual([200, 'home']);
      expect(await ask(context, `/${id}/home.html`)).toEqual([200, 'home']);
      expect(await ask(context, `/${id}/blog/post`)).toEqual([200, 'deep']);
      expect(await ask(context, `/${id}/flat/page`)).toEqual([200, 'deep']);
      for (const missing of ['nope', 'gone', 'blog/nope'])
        expect((await ask(context, `/${id}/${missing}`))[0]).toBe(404);
    });

  it('does without parts that are not here', async () => {
    const context = await testNode();
    const body = JSON.stringify({ 'index+link': 'A'.repeat(43), 'paths+link': 'B'.repeat(43) });
    const id = await context.cache.write(Message.of({ device: 'manifest@1.0', body }));
    expect((await ask(context, `/${id}/index`))[0]).toBe(404);
    expect((await ask(context, `/${id}/x`))[0]).toBe(404);
  });
});
