/** The lines of a process file: gzip over lines of JSON, each a record. Read as a stream, within limits. */
import { toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';

/** Largest file that is read, unpacked, in bytes. */
const MAX_BYTES = 1024 * 1024 * 1024;
/** Longest record, in characters. */
const MAX_LINE = 128 * 1024 * 1024;

export type FileRecord = Readonly<Record<string, unknown>>;

export function badFile(what: string): AoError {
  return new AoError('bad-file', `The file ${what}.`, { status: 422 });
}

export async function packLines(lines: readonly string[]): Promise<Uint8Array> {
  const stream = new Blob(lines.map((line) => toBytes(`${line}\n`))).stream();
  return new Uint8Array(await new Response(stream.pipeThrough(new CompressionStream('gzip'))).arrayBuffer());
}

/** The records of a file, one after the other. @throws AoError `bad-file` (422) */
export async function* readLines(file: Uint8Array): AsyncGenerator<FileRecord> {
  let rest = '';
  for await (const text of unpacked(file)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    if (rest.length > MAX_LINE) throw badFile('holds a record that is larger than this node reads');
    for (const line of lines) if (line !== '') yield parse(line);
  }
  // Every line has an end; a file that was cut may unpack and still miss it.
  if (rest !== '') throw badFile('is damaged: it ends within a record');
}

async function* unpacked(file: Uint8Array): AsyncGenerator<string> {
  const stream = new Blob([file as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('gzip'));
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const reader = stream.getReader();
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (size > MAX_BYTES) throw badFile('is larger than this node reads');
      yield decoder.decode(value, { stream: true });
    }
    yield decoder.decode();
  } catch (thrown) {
    if (thrown instanceof AoError) throw thrown;
    throw badFile('is damaged: it does not unpack');
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function parse(line: string): FileRecord {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as FileRecord;
  } catch {
    // Said below.
  }
  throw badFile('is damaged');
}
