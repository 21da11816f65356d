/** What a process is called where nobody gave it a name. */
import type { ProcessSummary } from '../../client/index.ts';
import { shortId } from './ids.ts';

export function nameOf({ id, name }: Pick<ProcessSummary, 'id' | 'name'>): string {
  return name || `Process ${shortId(id)}`;
}
