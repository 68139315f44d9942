import { BSON, ObjectId } from 'mongodb';

/** Text that stands for a document's `_id`: other programs may use any type of value for it. */
export function idText(id: unknown): string {
  if (id instanceof ObjectId) return id.toHexString();
  return typeof id === 'string' ? id : BSON.EJSON.stringify({ id });
}
