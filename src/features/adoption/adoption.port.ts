/** Renames a host in the databases. */
export interface AdoptionStore {
  /**
   * Replaces the name `from` by `to` in data entries, runs held, history and deletions. After an
   * interruption it can be called again. Answers how many run documents were changed.
   */
  move(from: string, to: string): Promise<number>;
}
