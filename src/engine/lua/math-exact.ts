export function pow(x: number, y: number): number {
  return Math.pow(x, y);
}
