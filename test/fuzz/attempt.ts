/** Calls each of `acts` although one before it was refused; throws what is no refusal. */
export function attemptAll(...acts: (() => unknown)[]): void {
  for (const act of acts)
    try {
      act();
    } catch (thrown) {
      if (!(thrown instanceof Error && thrown.name === 'AoError')) throw thrown;
    }
}
