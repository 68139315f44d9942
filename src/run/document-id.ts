import { BSON, ObjectId } from 'mongodb';

/** The `_id` that such a text stands for, if it is an ObjectId; else null. */
export function documentId(text: string): ObjectId | null {
  return /^[0-9a-f]{24}$/i.test(text) ? ObjectId.createFromHexString(text) : null;
}

/** Text that stands for a document's `_id`: other programs may use any type of value for it. */
export function idText(id: unknown): string {
  if (id instanceof ObjectId) return id.toHexString();
  return typeof id === 'string' ? id : BSON.EJSON.stringify({ id });
}
