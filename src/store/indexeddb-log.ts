/**
 * Keeps a browser that was killed from losing the whole database at the next kill.
 *
 * Chromium keeps all databases of an origin in one LevelDB. What is written goes to its log first, and a kill in the
 * middle of a write leaves half a record at the end of it. Opening leaves that half out, as it should, but then
 * appends to the same log (`reuse_logs`, github.com/google/leveldb/issues/1287). The next time the log is read, the
 * half record stands in its middle, is taken for damage, and Chromium deletes every database of the origin.
 *
 * Deleting a database makes LevelDB put its log into tables at once and begin a new one. So a small database is kept,
 * and deleted and made again before anything else is written. Other browsers keep databases in files of their own and
 * lose a few milliseconds by it.
 */
import { deleteDB, openDB } from 'idb';

const NAME = 'beamlet-new-log';
/** Milliseconds after which opening goes on without it. */
const PATIENCE = 2_000;

/** Ends the log that a kill may have torn. Never throws: where it fails, opening the database says why. */
export async function beginNewLog(): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE)));
  await Promise.race([deleteAndMake().catch(() => undefined), late]);
  clearTimeout(timer);
}

async function deleteAndMake(): Promise<void> {
  // Where it is there already, this writes nothing: the first write is what has to end the log.
  await make();
  await deleteDB(NAME);
  await make();
}

async function make(): Promise<void> {
  const database = await openDB(NAME, 1, {
    blocking: (_current, _next, event) => (event.target as IDBDatabase).close(),
  });
  database.close();
}
