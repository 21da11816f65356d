/**
 * The log of Chromium's LevelDB, as a kill leaves it: whole, or torn, with part of a record at its end. LevelDB leaves
 * that part out when it opens, but Chromium then appends to it, and at the next opening takes it for damage.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const BLOCK = 32_768;
const HEADER = 7;
const FULL = 1;
const FIRST = 2;
const MIDDLE = 3;

export type LogState = 'none' | 'whole' | 'torn' | 'broken';

/** The newest log of the profile's IndexedDB. */
function newestLog(profile: string): string | undefined {
  const folder = join(profile, 'Default', 'IndexedDB');
  if (!existsSync(folder)) return undefined;
  const database = readdirSync(folder).find((name) => name.endsWith('.leveldb'));
  if (database === undefined) return undefined;
  const logs = readdirSync(join(folder, database)).filter((name) => /^\d+\.log$/.test(name));
  const newest = logs.sort().at(-1);
  return newest === undefined ? undefined : join(folder, database, newest);
}

/** Broken: what was torn has been written after, so that Chromium will give up all of it. */
export function logState(profile: string): LogState {
  const log = newestLog(profile);
  if (log === undefined) return 'none';
  const bytes = readFileSync(log);
  let inside = false;
  for (let at = 0; at < bytes.length;) {
    const left = BLOCK - (at % BLOCK);
    if (left < HEADER) {
      at += left;
      continue;
    }
    if (at + HEADER > bytes.length) return 'torn';
    const length = bytes.readUInt16LE(at + 4);
    const type = bytes[at + 6]!;
    if (type === 0 && length === 0) {
      // Zeros up to the end of a block are nothing.
      at += left;
      continue;
    }
    if (type < FULL || type > 4 || length > left - HEADER) return 'broken';
    if (at + HEADER + length > bytes.length) return 'torn';
    if (inside === (type === FULL || type === FIRST)) return 'broken';
    inside = type === FIRST || type === MIDDLE;
    at += HEADER + length;
  }
  return inside ? 'torn' : 'whole';
}

/** Puts at the end of the log what a kill in the middle of a write leaves: a header, and less than it promises. */
export function tearLog(profile: string): void {
  const log = newestLog(profile);
  if (log === undefined) return;
  const left = BLOCK - (readFileSync(log).length % BLOCK);
  const padding = left < 2 * HEADER ? left : 0;
  const header = Buffer.alloc(HEADER);
  const promised = (padding > 0 ? BLOCK : left) - HEADER;
  header.writeUInt16LE(promised, 4);
  header[6] = FIRST;
  appendFileSync(log, Buffer.concat([Buffer.alloc(padding), header, Buffer.alloc(promised >> 1, 1)]));
}
