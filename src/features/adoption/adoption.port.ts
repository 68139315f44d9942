/** A host that has been renamed: what the databases know by its old name. */
export interface AdoptionStore {
  /**
   * Everything of `from` becomes `to`: entries of data and runs held, history, deletions. May be
   * carried out again after an interruption. Answers how many run documents were changed.
   */
  move(from: string, to: string): Promise<number>;
}
