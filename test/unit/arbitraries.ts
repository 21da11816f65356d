/** Values for property tests, biased towards what codecs find hard: sizes at limits, IDs for keys, emptiness, odd octets. */
import fc from 'fast-check';
import { Message } from '../../src/message/message.ts';
import { Atom, type Binary, type Value } from '../../src/message/value.ts';

const word = fc.stringMatching(/^[a-z][a-z0-9_.-]{0,12}$/);

/** Keys that every codec can carry. */
export const plainKey = fc
  .oneof(
    { weight: 8, arbitrary: word },
    { weight: 1, arbitrary: fc.constantFrom('body', 'data', 'path', 'method', 'type', 'status', 'x-1') },
  )
  .filter(
    (key) =>
      !key.startsWith('priv') && !/^(?:commitments|signature(?:-input)?|content-digest|ao-.*)$/.test(key),
  );

/** Text without line breaks. */
export const lineText = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .map((text) => text.replace(/[\r\n]/g, ' '));

export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: lineText },
  { weight: 1, arbitrary: fc.constantFrom('', 'a\nb', 'with "quotes" and \\', ' edge ') },
  { weight: 1, arbitrary: fc.constantFrom(3072, 3073, 4096, 4097).map((size) => 'x'.repeat(size)) },
);

export const bytes: fc.Arbitrary<Binary> = fc.uint8Array({ maxLength: 40 });

const integer = fc.bigInt({ min: -999_999_999_999_999n, max: 999_999_999_999_999n });
const float = fc.double({ noNaN: true, noDefaultInfinity: true });
const atom = fc.constantFrom('true', 'false', 'null', 'ok', 'not_found').map(Atom.of);

function values(
  scalar: fc.Arbitrary<Value>,
  key: fc.Arbitrary<string>,
  maxKeys: number,
): fc.Arbitrary<Message> {
  return fc.letrec<{ value: Value; message: Message; list: readonly Value[] }>((tie) => ({
    value: fc.oneof({ maxDepth: 3, withCrossShrink: true }, scalar, tie('message'), tie('list')),
    message: fc.array(fc.tuple(key, tie('value')), { maxLength: maxKeys, size: 'small' }).map(Message.from),
    list: fc.array(tie('value'), { maxLength: 6, size: 'small' }),
  })).message;
}

/** Messages whose every value is text or typed: what JSON can hold. */
export const textMessage = values(fc.oneof(text, integer, float, atom), plainKey, 8);

/** Messages that may hold any octets. */
export const anyMessage = values(
  fc.oneof<fc.Arbitrary<Value>[]>(text, bytes, integer, float, atom),
  fc.oneof(
    { weight: 12, arbitrary: plainKey },
    { weight: 1, arbitrary: fc.constantFrom(27, 32, 38, 42, 43).map((n) => 'k'.repeat(n)) },
  ),
  40,
);

export const anyValue: fc.Arbitrary<Value> = fc.oneof<fc.Arbitrary<Value>[]>(
  text,
  bytes,
  integer,
  float,
  atom,
  anyMessage,
  fc.array(anyMessage, { maxLength: 3 }),
);
