/**
 * What tells that there was a database, kept beside it: a file without content in the origin's private file system,
 * which the browser clears together with the database, but does not lose together with it.
 */

const FOLDER = 'beamlet-databases';

async function folder(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(FOLDER, { create: true });
}

/** From now on `name` is known to be there. Where the browser has no such file system, nothing happens. */
export async function leaveTrace(name: string): Promise<void> {
  try {
    await (await folder()).getFileHandle(encodeURIComponent(name), { create: true });
  } catch {
    // Without it, a loss cannot be told from a first start.
  }
}

/** There was a database of this name. */
export async function hasTrace(name: string): Promise<boolean> {
  try {
    await (await folder()).getFileHandle(encodeURIComponent(name));
    return true;
  } catch {
    return false;
  }
}
