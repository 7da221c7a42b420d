/** A request as bytes: what comes over a wire need not be what anybody meant. */
export interface RawRequest {
  readonly method: string;
  readonly path: string;
  /** As it stands in the URL, without the question mark. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

/** A request that keeps its contract, in parts that can be broken one by one. */
export interface Template {
  /** The endpoint, e.g. `POST /v1/ai/lease`. */
  readonly name: string;
  readonly path: string;
  readonly query: Fields;
  /** Of the JSON object in its body; undefined where there is none. */
  readonly body: Fields | undefined;
  /** None of which may be missing. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parts of the path that could be anything, as they stand in it. */
  readonly names: readonly string[];
}

export type Fields = readonly Field[];

export interface Field {
  readonly name: string;
  readonly value: unknown;
  readonly isRequired: boolean;
  /** What its value may be. */
  readonly type: FieldType;
}

export type FieldType =
  | 'key'
  /** Nothing but this very value, e.g. a holder's secret. */
  | 'exact'
  | 'text'
  | 'name'
  | 'host'
  | 'workspace'
  | 'count'
  | 'seconds'
  | 'flag'
  | 'status'
  | 'object'
  | 'result'
  | 'amount'
  | 'jobs'
  | 'runnerJobs'
  | 'tokenName';

export const field = (type: FieldType, name: string, value: unknown, isRequired = true): Field => ({
  ...{ name, value, isRequired, type },
});
export const optional = (type: FieldType, name: string, value: unknown) =>
  field(type, name, value, false);

interface Parts extends Partial<Omit<Template, 'name' | 'path'>> {
  readonly path?: string;
}

export function template(name: string, parts: Parts): Template {
  const [, path = ''] = name.split(' ');
  return { path, query: [], body: undefined, headers: {}, names: [], name, ...parts };
}

export function methodOf({ name }: Template): string {
  return name.split(' ')[0] ?? '';
}

const encoder = new TextEncoder();

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

export function queryOf(fields: readonly (readonly [string, string])[]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of fields) parameters.append(name, value);
  return parameters.toString();
}

/** The request itself, as it is. */
export function rawOf(template: Template): RawRequest {
  const { path, query, body, headers } = template;
  const content = body && Object.fromEntries(body.map(({ name, value }) => [name, value]));
  return {
    method: methodOf(template),
    path,
    query: queryOf(query.map(({ name, value }) => [name, String(value)])),
    headers,
    body: content && bytesOf(JSON.stringify(content)),
  };
}
