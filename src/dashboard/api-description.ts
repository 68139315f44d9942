/** The API's description of itself, as far as server and page know it: OpenAPI 3.1. */

export type Json = Record<string, unknown>;

/** GET /api/schema */
export interface ApiDescription {
  openapi: string;
  info: { title: string; version: string };
  /** By path, then by method in small letters. */
  paths: Record<string, Partial<Record<string, ApiOperation>>>;
  components: Json;
}

export interface ApiOperation {
  summary: string;
  parameters: ApiParameter[];
  requestBody?: { required: boolean; content: Record<string, { schema: Json }> };
  responses: Record<string, { description: string; content: Record<string, Json> }>;
}

export interface ApiParameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: Json;
  description?: string;
}
