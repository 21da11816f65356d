/** What a path may cost before it is refused. All counts are of bytes or elements as they come off the wire. */
export const PATH_LIMITS = {
  /** Bytes of a whole path with its query, before decoding. */
  path: 262_144,
  /** Bytes of one segment or inline parameter (resolver.md §4.1, step 5). */
  segment: 512,
  /** Elements of one sequence. */
  steps: 1024,
  /** Sub-paths inside sub-paths. */
  depth: 32,
  /** Names in a query. */
  parameters: 1024,
} as const;
