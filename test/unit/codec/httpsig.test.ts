/** `httpsig@1.0` without signatures: fields, multipart bodies, and what is refused (messages.md §4, §5, §13). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBytes, toBytes } from '../../../src/base/bytes.ts';
import {
  contentDigest,
  decodeHttpsig,
  encodeHttpsig,
  escapedIdKey,
  escapedIdName,
  hasWrongDigest,
  type HttpForm,
} from '../../../src/codec/httpsig.ts';
import { decodeStructured, encodeStructuredMessage } from '../../../src/codec/structured.ts';
import { equalValues } from '../../../src/message/equal.ts';
import { Message, type ValueInput } from '../../../src/message/message.ts';
import { Atom, type Binary } from '../../../src/message/value.ts';
import { plainKey, text } from '../arbitraries.ts';

const message = Message.of;
const encode = (record: Record<string, ValueInput>) =>
  encodeHttpsig(encodeStructuredMessage(message(record)));
const failure = expect.objectContaining({ name: 'AoError' }) as Error;

/** Parts of a multipart body as text, CR LF as ⏎. */
function parts(form: HttpForm): string[] {
  const body = fromBytes(form.body!);
  const boundary = body.slice(0, body.indexOf('\r\n'));
  return body
    .slice(boundary.length + 2, -(boundary.length + 4))
    .split(`\r\n${boundary}\r\n`)
    .map((part) => part.replaceAll('\r\n', '⏎'));
}

function form(headers: Record<string, Binary>, body?: string): HttpForm {
  return { headers: new Map(Object.entries(headers)), body: body === undefined ? undefined : toBytes(body) };
}

const decode = (headers: Record<string, Binary>, body?: string) => decodeHttpsig(form(headers, body)).tabm;

describe('what the form cannot hold', () => {
  const told = (record: Record<string, ValueInput>) => {
    const lost: string[] = [];
    const made = encodeHttpsig(encodeStructuredMessage(message(record)), (path) => lost.push(path));
    expect(made).toEqual(encode(record));
    return lost;
  };

  it('is told with its path, and the bytes stay those of the reference', () => {
    expect(told({ top: 'a\r\nb', body: 'x\r\ny', m: { fine: 'a\nb', cut: 'a\r\nb' } })).toEqual(['m/cut']);
    expect(
      told({ m: { in: { 'a: b': '1', 'c/d': '2', 'content-type': 'text/html', x: '3' } } }).sort(),
    ).toEqual(['m/in/a: b', 'm/in/c/d', 'm/in/content-type']);
    expect(told({ m: { body: 'a\r\nb', long: `${'x'.repeat(5000)}\r\n` } })).toEqual([]);
    expect(told({ l: ['one', 'two\r\nthree'] })).toEqual(['l/2']);
  });
});

describe('parts', () => {
  it.each<[Record<string, ValueInput>, string[]]>([
    [{ m: {} }, ['ao-types: empty-message⏎content-disposition: form-data;name="m"']],
    [{ m: [] }, ['ao-types: .="list"⏎content-disposition: form-data;name="m"']],
    [
      { m: [1n, 2n] },
      ['1: 1⏎2: 2⏎ao-types: .="list", 1="integer", 2="integer"⏎content-disposition: form-data;name="m"'],
    ],
    [{ m: { x: { y: 'z' } } }, ['content-disposition: form-data;name="m/x"⏎y: z']],
    [{ m: { body: 'inner' } }, ['content-disposition: form-data;name="m/body"⏎⏎inner']],
    [{ m: { body: 'inner', k: 'v' } }, ['content-disposition: form-data;name="m"⏎k: v⏎⏎inner']],
    [{ body: { x: '1' } }, ['content-disposition: inline⏎x: 1']],
    [{ body: { body: '1' } }, ['content-disposition: form-data;name="body/body"⏎⏎1']],
    [
      { body: 'B', m: { a: '1', x: { y: 'z' } } },
      [
        'content-disposition: inline⏎⏎B',
        'a: 1⏎content-disposition: form-data;name="m"',
        'content-disposition: form-data;name="m/x"⏎y: z',
      ],
    ],
    [
      { '': { k: 'v', m: { x: '1' } } },
      ['content-disposition: form-data;name="k"⏎⏎v', 'content-disposition: form-data;name="m"⏎x: 1'],
    ],
    [
      { 'ao-body-key': 'foo', foo: 'x', body: 'y' },
      ['content-disposition: form-data;name="body"⏎⏎y', 'content-disposition: inline⏎⏎x'],
    ],
  ])('%#', (record, expected) => expect(parts(encode(record))).toEqual(expected));
});

describe('text with CR LF in a header of a part', () => {
  // messages.md §4.6 and §13, 21: nothing is escaped, and what follows is lost to the reader.
  it('is written as it stands', () =>
    expect(parts(encode({ m: { a: 'x\r\ny', b: 'z' } }))).toEqual([
      'a: x⏎y⏎b: z⏎content-disposition: form-data;name="m"',
    ]));

  it('is cut there when it is read; a line feed alone is not', () => {
    const there = (value: string) => {
      const { headers, body } = encode({ m: { a: value, b: 'z' } });
      return decodeStructured(decodeHttpsig({ headers, body }).tabm);
    };
    expect(equalValues(there('x\r\ny'), message({ m: { a: 'x', b: 'z' } }))).toBe(true);
    expect(equalValues(there('x\ny'), message({ m: { a: 'x\ny', b: 'z' } }))).toBe(true);
  });
});

describe('fields', () => {
  it('hold up to 4096 octets, counted as octets', () => {
    for (const [size, header] of [
      [4096, true],
      [4097, false],
    ] as const) {
      expect(encode({ v: 'x'.repeat(size) }).headers.has('v')).toBe(header);
      expect(encode({ v: 'é'.repeat(2047) + 'x'.repeat(size - 4094) }).headers.has('v')).toBe(header);
      expect(encode({ v: new Uint8Array(size) }).headers.has('v')).toBe(header);
    }
  });
  it('have no body without one, and an empty one without a digest', () => {
    expect(encode({ a: '1' }).body).toBeUndefined();
    const empty = encode({ body: '' });
    expect(empty.body).toEqual(new Uint8Array(0));
    expect(empty.headers.has('content-digest')).toBe(false);
  });
  it('group keys that look like IDs, at the top alone', () => {
    const id = 'A'.repeat(43);
    const made = encode({ [id]: 'a"b', m: { [id]: 'x' } });
    expect(made.headers.get('ao-ids')).toBe(`${id}="a\\"b"`);
    expect(parts(made)).toEqual([`${id}: x⏎content-disposition: form-data;name="m"`]);
    const back = decodeHttpsig(made).tabm;
    expect(back.text(id)).toBe('a"b');
    expect(back.message('m')!.text(id)).toBe('x');
  });
  it('group them instead of a key that is called ao-ids, whatever the sizes', () => {
    const id = 'k'.repeat(43);
    for (const [own, grouped] of [
      ['x'.repeat(5000), 'v'],
      ['x', 'v'.repeat(5000)],
    ] as const) {
      const form = encode({ 'ao-ids': own, [id]: grouped });
      const { tabm } = decodeHttpsig(form);
      expect(equalValues(tabm, message({ [id]: grouped }))).toBe(true);
    }
  });

  it('are read in the form of newer nodes too, whose names are escaped', () => {
    const id = 'KPzA9jjXbcmApVKFmxQSWQ2jjgAr1RhaDISQsL2etsg';
    expect(escapedIdKey(escapedIdName(id))).toBe(id);
    expect(decode({ [escapedIdName(id)]: 'v' }).text(id)).toBe('v');
    expect(decode({ '%41': 'v', 'pct%': 'w' }).has('%41')).toBe(true);
  });
  it('leave out what others make anew', () => {
    const made = encode({ commitments: {}, signature: 'x', 'signature-input': 'y', a: '1' });
    expect([...made.headers.keys()]).toEqual(['a']);
  });
});

describe('reading', () => {
  it('puts the body where it says', () => {
    expect(decode({}, 'x').text('body')).toBe('x');
    expect(decode({ 'ao-body-key': 'k' }, 'x').text('k')).toBe('x');
    expect(decode({ 'content-type': 'text/html; charset=utf-8' }, 'x').text('body')).toBe('x');
  });
  it('believes no commitments but those of the signature fields', () => {
    const part = '--B\r\ncontent-disposition: form-data;name="commitments/x"\r\n\r\nx\r\n--B--';
    expect(decode({ commitments: 'x', 'commitments+link': 'y' }).size).toBe(0);
    expect(decode({ 'content-type': 'multipart/form-data; boundary="B"' }, part).size).toBe(0);
  });
  it('takes any media type with a boundary for multipart', () => {
    const body = '--B\r\nCONTENT-disposition: form-data; name="a/b"\r\n\r\nx\r\n--B--';
    for (const type of ['a/b; boundary=B', 'multipart/mixed; boundary="B"'])
      expect(decode({ 'content-type': type }, body).message('a')!.text('b')).toBe('x');
  });
  it('keeps octets that are no text', () => {
    const raw = Uint8Array.of(0xff, 0, 1);
    const back = decodeHttpsig(encode({ h: raw, m: { h: raw, body: raw }, body: raw })).tabm;
    expect(back.get('h')).toEqual(raw);
    expect(back.get('body')).toEqual(raw);
    expect(back.message('m')!.get('h')).toEqual(raw);
    expect(back.message('m')!.get('body')).toEqual(raw);
  });
  it.each<[Record<string, string>, string]>([
    [{ 'content-type': '' }, 'x'],
    [{ 'content-type': 'a, b' }, 'x'],
    [{ 'content-type': 'multipart/form-data; boundary="B"' }, 'no boundary'],
    [{ 'content-type': 'multipart/form-data; boundary="B"' }, '--B\r\ncontent-disposition: inline\r\n\r\nx'],
    [{ 'content-type': 'multipart/form-data; boundary="B"' }, '--B\r\na: b\r\n--B--'],
    [
      { 'content-type': 'multipart/form-data; boundary="B"' },
      '--B\r\ncontent-disposition: form-data\r\n--B--',
    ],
    [
      { 'content-type': 'multipart/form-data; boundary="B"' },
      '--B\r\ncontent-disposition: form-data;name="a"\r\n\r\nx\r\n--B\r\ncontent-disposition: form-data;name="a/b"\r\n\r\ny\r\n--B--',
    ],
    [{ 'ao-ids': 'x' }, ''],
    [{ 'ao-ids': '"' }, ''],
  ])('refuses %j with %j', (headers, body) => expect(() => decode(headers, body)).toThrow(failure));

  it('tells a body from another by the digest that names it', () => {
    const digest = contentDigest(toBytes('x'));
    expect(hasWrongDigest(form({ 'content-digest': digest }, 'x'))).toBe(false);
    expect(hasWrongDigest(form({ 'content-digest': digest }, 'y'))).toBe(true);
    expect(hasWrongDigest(form({ 'content-digest': `${digest}, sha-512=:AA==:` }, 'x'))).toBe(false);
    expect(hasWrongDigest(form({ 'content-digest': 'nonsense=' }, 'x'))).toBe(true);
    expect(hasWrongDigest(form({}, 'x'))).toBe(false);
  });

  it('undoes writing for all that it can hold', () => {
    // What is lost (docstring): line breaks and `/` in nested keys, a nested content-type, an empty part.
    const nested = fc
      .dictionary(
        plainKey,
        text.map((value) => value.replace(/[\r\n]/g, ' ') || '-'),
        { minKeys: 1, maxKeys: 40 },
      )
      .map((record) => message(record));
    const whole = fc
      .tuple(fc.dictionary(plainKey, text, { maxKeys: 40 }), fc.dictionary(plainKey, nested, { maxKeys: 4 }))
      .map(([flat, deep]) => message(flat).with(Object.entries(deep)));
    fc.assert(
      fc.property(whole, (value) => {
        fc.pre(value.get('data') !== '' && value.get('body') !== '');
        const back = decodeStructured(decodeHttpsig(encodeHttpsig(encodeStructuredMessage(value))).tabm);
        expect(equalValues(back, value)).toBe(true);
      }),
    );
  });

  it('never fails but by a typed error', () => {
    const header = fc.dictionary(
      fc.constantFrom('content-type', 'ao-ids', 'ao-types', 'ao-body-key', 'a', 'content-digest'),
      fc.oneof(fc.string(), fc.constantFrom('multipart/x; boundary=B', '"', 'a="list"')),
    );
    const body = fc
      .array(
        fc.constantFrom(
          '--B',
          '\r\n',
          '--',
          'content-disposition: inline',
          'content-disposition: form-data;name="a/b"',
          ': ',
          'x',
          'ao-types: ',
        ),
      )
      .map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(header, fc.option(body, { nil: undefined }), (headers, text) => {
        try {
          const made = form(headers, text);
          hasWrongDigest(made);
          decodeStructured(decodeHttpsig(made).tabm);
        } catch (thrown) {
          expect(thrown).toMatchObject({ name: 'AoError' });
        }
      }),
    );
  });
});

describe('rows of messages.md §13', () => {
  it('20: a part says what it is in any case of the name', () => {
    const body = '--B\r\nContent-Disposition: form-data;name="m"\r\nx: 1\r\n--B--';
    const found = decode({ 'content-type': 'multipart/form-data; boundary="B"' }, body);
    expect(equalValues(found, message({ m: { x: '1' } }))).toBe(true);
  });

  it('8: a list that holds undefined is written, and read back or refused by a typed error', () => {
    const tabm = encodeStructuredMessage(message({ l: ['a', Atom.of('undefined'), 'b'] }));
    const back = encodeHttpsig(tabm);
    expect(parts(back)[0]).toBe(
      '1: a⏎2: undefined⏎3: b⏎ao-types: .="list", 2="atom"⏎content-disposition: form-data;name="l"',
    );
    const list = (decodeStructured(decodeHttpsig(back).tabm) as Message).get('l');
    expect(list).toEqual(['a', Atom.of('undefined'), 'b']);
  });
});
