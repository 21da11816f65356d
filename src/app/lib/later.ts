/** Loads what the first paint does not need, with the styles that all of it shares. */
const styles = import('../styles/parts.css');
// Whoever waits for them hears of it; nobody may be waiting yet.
styles.catch(() => {});

export async function later<T>(load: () => Promise<T>): Promise<T> {
  const [loaded] = await Promise.all([load(), styles]);
  return loaded;
}
