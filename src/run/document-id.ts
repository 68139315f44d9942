import { BSON, ObjectId } from 'mongodb';

/** The `_id` that a text stands for; null if it is no ObjectId. */
export function documentId(text: string): ObjectId | null {
  return /^[0-9a-f]{24}$/i.test(text) ? ObjectId.createFromHexString(text) : null;
}

/** Text for a document's `_id`, which other programs may write with a value of any type. */
export function idText(id: unknown): string {
  if (id instanceof ObjectId) return id.toHexString();
  return typeof id === 'string' ? id : BSON.EJSON.stringify({ id });
}
