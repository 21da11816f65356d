/** The types that cross between a page and the node, under the name a page looks for. */
export type * from '../protocol/api.ts';
