/** `http-auth@1.0` (resolver.md §9.13): a secret from a name and password, as browsers and curl send them. */
import { fromBase64, fromBytes, toBase64Url, toBytes } from '../base/bytes.ts';
import { commitmentDevice } from '../commitment/devices.ts';
import { verifyMessage } from '../commitment/verify.ts';
import { sha256 } from '../crypto/hash.ts';
import { Message } from '../message/message.ts';
import { Atom, binaryBytes, type Link } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { error, isResult, ok, type Device, type KeyFunction, type Result } from '../resolver/device.ts';
import { isTrue } from '../resolver/options.ts';
import { integerOf, readFirst, textOf } from './values.ts';

const ITERATIONS = 1_200_000;
/** Most iterations that a request may ask for. */
const MAX_ITERATIONS = 5_000_000;
const KEY_BYTES = 64;
const HASHES: Readonly<Record<string, string>> = { sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' };

const challenge = (): Result =>
  error(
    Message.of({
      status: 401n,
      'www-authenticate': 'Basic',
      details: 'No authorization header provided.',
    }),
  );

const malformed = (): Result =>
  error(Message.of({ status: 400n, details: 'Unrecognized authorization header: it has to be Basic.' }));

/** Derived secrets of this run: deriving one is meant to be slow. */
const derivedOf = (context: Context) =>
  context.memory('http-auth@1.0', () => new Map<string, Promise<string>>());

const generate: KeyFunction = async (base, request, context) => {
  const header = textOf(
    await readFirst(
      [
        [request, 'authorization'],
        [base, 'authorization'],
      ],
      context,
    ),
  );
  if (header === undefined) return challenge();
  const encoded = /^Basic +([A-Za-z0-9+/=_-]+)$/i.exec(header)?.[1];
  if (encoded === undefined) return malformed();
  const credentials = fromBytes(fromBase64(encoded));
  if (isTrue(base.get('raw')) || isTrue(request.get('raw'))) return credentials;
  const derived = derivedOf(context);
  const parameters = await parametersOf(base, request, context);
  const name = toBase64Url(sha256(toBytes(`${JSON.stringify(parameters)}\n${credentials}`)));
  let secret = derived.get(name);
  if (!secret) {
    secret = derive(credentials, parameters);
    if (derived.size < 1024) derived.set(name, secret);
  }
  return secret;
};

interface Parameters {
  readonly salt: string;
  readonly iterations: number;
  readonly hash: string;
  readonly bytes: number;
}

async function parametersOf(base: Message, request: Message, context: Context): Promise<Parameters> {
  const find = (key: string) =>
    readFirst(
      [
        [request, key],
        [base, key],
      ],
      context,
    );
  const salt = textOf(await find('salt')) ?? fromBytes(sha256(toBytes('constant:ao')));
  const iterations = integerOf(await find('iterations')) ?? ITERATIONS;
  const bytes = integerOf(await find('key-length')) ?? KEY_BYTES;
  return {
    salt,
    iterations: Math.min(Math.max(iterations, 1), MAX_ITERATIONS),
    hash: HASHES[(textOf(await find('alg')) ?? 'sha256').toLowerCase().replaceAll('-', '')] ?? 'SHA-256',
    bytes: Math.min(Math.max(bytes, 16), 1024),
  };
}

async function derive(credentials: string, { salt, iterations, hash, bytes }: Parameters): Promise<string> {
  const key = await crypto.subtle.importKey('raw', toBytes(credentials), 'PBKDF2', false, ['deriveBits']);
  const bits = await crypto.subtle.deriveBits(
    { name: 'PBKDF2', hash, salt: toBytes(salt), iterations },
    key,
    8 * bytes,
  );
  return toBase64Url(new Uint8Array(bits));
}

/** Runs with the secret of the request's credentials. */
async function withSecret(
  base: Message,
  request: Message,
  context: Context,
  run: (secret: Uint8Array) => Promise<Result>,
) {
  const answer = await generate(base, request, context);
  if (isResult(answer) && answer.status !== 'ok') return answer;
  const secret = isResult(answer) ? answer.value : answer;
  return typeof secret === 'string' ? run(binaryBytes(secret)) : malformed();
}

const commit: KeyFunction = (base, request, context) =>
  withSecret(base, request, context, async (secret) => {
    const load = (link: Link) => context.cache.load(link);
    const asked = { type: 'hmac-sha256', scheme: 'secret', secret };
    return ok(await commitmentDevice('httpsig@1.0')!.commit(base, asked, { load }));
  });

const verify: KeyFunction = (base, request, context) =>
  withSecret(base, request, context, async (secret) => {
    const load = (link: Link) => context.cache.load(link);
    return ok(Atom.boolean(await verifyMessage(base, undefined, { load, secret })));
  });

export const httpAuth: Device = { name: 'http-auth@1.0', keys: { generate, commit, verify } };
