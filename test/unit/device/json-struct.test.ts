import { beforeAll, describe, expect, it } from 'vitest';
import { parseJson } from '../../../src/codec/json-text.ts';
import { headerCase, messageJson, messageStruct, resultsOf } from '../../../src/device/json-struct.ts';
import { Message, type ValueInput } from '../../../src/message/message.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { signed, testNode, testWallet } from '../../setup/test-node.ts';

let context: NodeContext;
beforeAll(async () => {
  ({ context } = await testNode());
}, 60_000);

const results = (json: unknown) => resultsOf(parseJson(JSON.stringify(json)) as Message);

describe('the struct of a message', () => {
  it('has its members in byte order, no blanks, tags in header case', async () => {
    const message = await signed({
      action: 'Eval',
      data: 'return 1',
      count: 5n,
      'x-my-thing': 'v',
      target: 'T'.repeat(43),
    });
    const text = await messageJson(message, { 'Block-Height': 7n, Module: 'M' }, context);
    const { address } = await testWallet();
    const id = [...message.message('commitments')!].find(([, c]) => (c as Message).has('committer'))!;
    const signature = (id[1] as Message).text('signature')!;
    expect(text).toBe(
      `{"Anchor":"","Block-Height":7,"Data":"return 1","From":"${address}","Id":"${id[0]}","Module":"M",` +
        `"Owner":"${address}","Signature":"${signature}","Tags":[{"name":"Action","value":"Eval"},` +
        `{"name":"Ao-Types","value":"count=\\"integer\\""},{"name":"Count","value":"5"},` +
        `{"name":"X-My-Thing","value":"v"}],"Target":"${'T'.repeat(43)}"}`,
    );
  });

  it('is empty where nobody signed, and comes from the process that it names', async () => {
    const struct = await messageStruct(Message.of({ 'from-process': 'P'.repeat(43), a: '1' }), context);
    expect(struct.text('From')).toBe('P'.repeat(43));
    expect(struct.text('Owner')).toBe('');
    expect(struct.text('Signature')).toBe('');
  });

  it('refuses data that is no text', async () => {
    const message = Message.of({ data: new Uint8Array([0xff, 0xfe]) });
    await expect(messageJson(message, {}, context)).rejects.toMatchObject({
      name: 'AoError',
      code: 'not-text',
    });
  });

  it('writes names in header case', () => {
    expect(['x-my-thing', 'authority+link', '', 'a--b'].map(headerCase)).toEqual([
      'X-My-Thing',
      'Authority+link',
      '',
      'A--B',
    ]);
  });
});

describe('the results of an evaluation', () => {
  it('lay tags over the fields of a message; the later tag wins', () => {
    const { outbox } = results({
      Messages: [
        {
          Target: 'T',
          Data: 'd',
          anchor: 'gone',
          Tags: [
            { name: 'Target', value: 'T2' },
            { name: 'a', value: '1' },
            { name: 'a', value: '2' },
          ],
        },
      ],
    });
    const [entry] = outbox;
    expect(entry!.text('Target')).toBe('T2');
    expect(entry!.text('a')).toBe('2');
    expect(entry!.has('anchor')).toBe(false);
    expect(entry!.get('Tags')).toHaveLength(3);
  });

  it('an error is the data and drops everything else', () => {
    const { data, outbox, patches } = results({
      Error: 'bad',
      Messages: [{ Target: 'x' }],
      patches: [{ Tags: [] }],
    });
    expect([data, outbox.length, patches.length]).toEqual(['bad', 0, 0]);
    expect(results({ Error: '' }).data).toBe('');
  });

  it('a plain text as output gives nothing', () => {
    expect(results({ Output: 'plain', Messages: [{ Target: 'x' }] })).toEqual({
      data: '',
      outbox: [],
      patches: [],
    });
    expect(results({ Output: null, Data: 'd' }).data).toBe('');
    expect(results({ Data: 'd' }).data).toBe('d');
    expect(results({ Output: { data: 'o' }, Data: 'd' }).data).toBe('o');
  });

  it.each([[{ Messages: 'x' }], [{ Messages: [1] }], [{ patches: { a: 1 } }]] as [ValueInput][])(
    'refuses %j',
    (json) => {
      expect(() => results(json)).toThrowError(expect.objectContaining({ code: 'bad-result' }) as Error);
    },
  );
});
