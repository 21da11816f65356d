/**
 * Evidence: statements that cannot both be honest, each with the very octets that were signed, so that anybody can
 * check it from the file alone (attestation.md §4.9). Never evicted, exportable, importable.
 */
import { fromBase64, fromBytes, toBase64Url, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { decodeHttpMessage, encodeHttp, httpForm } from '../commitment/http.ts';
import type { Load } from '../commitment/link.ts';
import { sha256 } from '../crypto/hash.ts';
import { Message } from '../message/message.ts';
import { binaryBytes, isBinary, type Value } from '../message/value.ts';
import type { HttpResponse } from '../resolver/context.ts';
import type { Store } from '../store/store.ts';
import { STATE_RULES } from './compare.ts';

export const EVIDENCE_KINDS = [
  /** Two assignments for one slot of a process, by one scheduler. */
  'double-assignment',
  /** Two answers of one node about one fixed slot and path. */
  'double-answer',
  /** Answers of two nodes about one fixed slot and path that differ: one of them is wrong. */
  'disagreement',
  /** An answer of a node, and a schedule from which something else follows. */
  'wrong-answer',
  /** The same, but nobody signed the answer: it shows what was said, and holds nobody to it. */
  'unsigned-answer',
  /** A schedule that no honest scheduler can have made. */
  'bad-schedule',
  /** A node that spoke of a newer slot before than it did later. */
  'head-regress',
  /** An attestation that a node signed and that breaks a rule. */
  'bad-attestation',
] as const;
export type EvidenceKind = (typeof EVIDENCE_KINDS)[number];

/** One statement as it came: status, headers and body of an HTTP answer. */
export interface Statement {
  readonly url: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  /** b64u. */
  readonly body: string;
}

/** A message with its signatures in the form that it has over HTTP, or bare octets. */
export interface Item {
  /** Missing for octets. */
  readonly headers?: readonly (readonly [string, string])[];
  /** b64u. */
  readonly body: string;
}

export interface Evidence {
  readonly v: 1;
  readonly kind: EvidenceKind;
  readonly createdAt: number;
  readonly process: string;
  readonly slot: number;
  /** Path inside the state that both statements are about; empty: the whole. */
  readonly path: string;
  readonly statements: readonly Statement[];
  /** Assignments that were audited before, from slot 0 on, with all their signatures; what has none is left out. */
  readonly schedule?: readonly Item[];
  /** Programs that the process runs; each is checked by the ID that the definition names. */
  readonly modules?: readonly Item[];
  readonly context: {
    readonly stateRules: string;
    /** What is right, as text, where this node computed it. */
    readonly right?: string;
    readonly said?: string;
    readonly code?: string;
  };
  /** Of an attestation: DER of leaf, issuer and root, b64u. */
  readonly certificates?: readonly string[];
  /** b64u SHA-256 of all the rest: a file that was changed is told from one that proves nothing. */
  readonly digest: string;
}

/** Whom evidence holds to what was said. */
export function against(kind: EvidenceKind): 'signer' | 'nobody' {
  return kind === 'unsigned-answer' ? 'nobody' : 'signer';
}

export function statement(url: string, response: HttpResponse, receivedAt: number): Statement {
  const { status, headers, body } = response;
  return {
    url,
    receivedAt,
    status,
    headers: headers.map(([name, value]) => [name, value]),
    body: toBase64Url(body),
  };
}

export function responseOf({ status, headers, body }: Statement): HttpResponse {
  return { status, headers, body: fromBase64(body) };
}

/** @param load for what the message links to: it is carried along */
export async function itemOf(value: Value, load: Load): Promise<Item> {
  if (!(value instanceof Message))
    return { body: toBase64Url(isBinary(value) ? binaryBytes(value) : new Uint8Array(0)) };
  const form = await encodeHttp(value, { bundle: true, load });
  const headers = [...form.headers].map(([name, text]): [string, string] => [
    name,
    fromBytes(binaryBytes(text)),
  ]);
  return { headers, body: toBase64Url(form.body ?? new Uint8Array(0)) };
}

export function valueOf({ headers, body }: Item): Value {
  const bytes = fromBase64(body);
  return headers ? decodeHttpMessage(httpForm(headers, bytes.length ? bytes : undefined)) : bytes;
}

export function evidence(
  parts: Omit<Evidence, 'v' | 'context' | 'digest'> & {
    readonly context?: Omit<Evidence['context'], 'stateRules'>;
  },
): Evidence {
  return sealed({ v: 1, ...parts, context: { stateRules: STATE_RULES, ...parts.context } });
}

/** With the digest of what it holds. */
export function sealed(parts: Omit<Evidence, 'digest'>): Evidence {
  const rest = { ...parts };
  delete (rest as { digest?: string }).digest;
  return { ...rest, digest: toBase64Url(sha256(toBytes(JSON.stringify(rest)))) };
}

export function evidenceText(item: Evidence): string {
  return `${JSON.stringify(item, null, 1)}\n`;
}

/** Keeps evidence for good. Answers its ID, or undefined for what is larger than is kept. */
export async function keepEvidence(item: Evidence, store: Store): Promise<string | undefined> {
  if (sizeOf(item) > MAX_KEPT) return undefined;
  const id = item.digest;
  await store.write([{ table: 'evidence', key: id, value: item }], { durable: true });
  return id;
}

/** Largest evidence that is kept, in characters of base64 and headers: a node may not fill the disk with its lies. */
const MAX_KEPT = 64 * 1024 * 1024;

function sizeOf({ statements, schedule = [], modules = [] }: Evidence): number {
  let size = 0;
  for (const { headers = [], body } of [...statements, ...schedule, ...modules] as readonly Item[]) {
    size += body.length;
    for (const [name, text] of headers) size += name.length + text.length;
  }
  return size;
}

/** Largest evidence file that is read, in characters. */
const MAX_TEXT = 256 * 1024 * 1024;

const MAX_ITEMS = 1_000_000;

/** @throws AoError `bad-evidence` (422) */
export function parseEvidence(text: string): Evidence {
  const bad = (what: string): never => {
    throw new AoError('bad-evidence', `The file ${what}.`, { status: 422 });
  };
  if (text.length > MAX_TEXT) bad('is larger than evidence is');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return bad('is no JSON');
  }
  const item = parsed as Evidence;
  if (typeof item !== 'object' || item === null || item.v !== 1)
    return bad('is no evidence of a form that is known');
  if (!EVIDENCE_KINDS.includes(item.kind)) bad('is evidence of an unknown kind');
  if (sealed(item).digest !== item.digest) bad('was changed after it was made: its digest is another');
  if (!/^[A-Za-z0-9_-]{43}$/.test(item.process) || !Number.isSafeInteger(item.slot))
    bad('names no process or slot');
  if (!Array.isArray(item.statements) || item.statements.length === 0 || item.statements.length > 2000)
    bad('holds no statements');
  const isHeaders = (headers: unknown): boolean =>
    Array.isArray(headers) &&
    headers.every(
      (pair: unknown) =>
        Array.isArray(pair) && pair.length === 2 && pair.every((text) => typeof text === 'string'),
    );
  for (const one of item.statements)
    if (
      typeof one?.url !== 'string' ||
      typeof one.body !== 'string' ||
      !isHeaders(one.headers) ||
      !Number.isInteger(one.status)
    )
      bad('holds a statement that is not whole');
  for (const list of [item.schedule ?? [], item.modules ?? []] as readonly unknown[]) {
    if (!Array.isArray(list) || list.length > MAX_ITEMS) bad('holds something else than messages');
    for (const one of list as readonly Item[])
      if (typeof one?.body !== 'string' || (one.headers !== undefined && !isHeaders(one.headers)))
        bad('holds a message that is not whole');
  }
  const { certificates = [] } = item as { certificates?: unknown };
  if (!Array.isArray(certificates) || certificates.some((der) => typeof der !== 'string'))
    bad('holds something else than certificates');
  return item;
}
