/** What changes an edge may carry (Flink's ChangelogMode). */
export type ChangelogMode =
  /** Inserts only. */
  | 'append'
  /** The newest row per unique key wins; deletes carry the key. */
  | 'upsert'
  /** Updates come as the old row (update-before) and the new one (update-after). */
  | 'retract';
