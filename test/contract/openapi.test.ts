import { describe, expect, test } from 'vitest';
import { SCOPES } from '../../src/engine/access.ts';
import { openApiDocument } from '../../src/server/openapi.ts';
import { createJudge, misfits } from './openapi-schema.ts';
import { allRoutes, DESCRIPTION, ENDPOINTS } from './openapi-service.ts';

describe('the description', () => {
  test('is one by OpenAPI 3.1', () => {
    expect(misfits(DESCRIPTION)).toEqual([]);
  });

  test('is found out when it is none', () => {
    const wrong = structuredClone(DESCRIPTION);
    const [first] = ENDPOINTS;
    expect(misfits({ ...wrong, openapi: '3.0.3' })).not.toEqual([]);
    expect(misfits({ ...wrong, paths: { lease: {} } })).not.toEqual([]);
    const { summary: _, ...rest } = Object(first?.operation);
    expect(misfits({ ...wrong, paths: { '/a': { get: rest } } })).not.toEqual([]);
  });

  test('refers to nothing that is not there, and has nothing to which nothing refers', () => {
    const text = JSON.stringify(DESCRIPTION);
    const referred = new Set(
      [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name),
    );
    expect([...referred].sort()).toEqual(Object.keys(DESCRIPTION.components.schemas).sort());
    expect(text).not.toMatch(/"\$ref":"(?!#\/components\/schemas\/)/);
  });

  test('has schemas that can be judged by', () => {
    const judge = createJudge(DESCRIPTION);
    for (const name of Object.keys(DESCRIPTION.components.schemas)) {
      expect(() => judge(`#/components/schemas/${name}`, {}), name).not.toThrow();
    }
  });

  test('names each operation once, and each part of a path', () => {
    const ids = ENDPOINTS.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of ENDPOINTS) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const { parameters = [] } = Object(operation);
      const named = parameters
        .filter((parameter: { in: string }) => parameter.in === 'path')
        .map((parameter: { name: string }) => parameter.name);
      expect(named, path).toEqual(inPath);
    }
  });

  test('is the same however often it is made', () => {
    expect(JSON.stringify(openApiDocument('1.2.3'))).toBe(JSON.stringify(DESCRIPTION));
  });
});

describe('every endpoint', () => {
  const described = ENDPOINTS.map(({ method, path, operation }) => ({
    endpoint: `${method.toUpperCase()} ${path}`,
    scopes: [...new Set(operation.security.flatMap((way) => Object.values(way).flat()))],
  }));
  const byName = (one: { endpoint: string }, other: { endpoint: string }) =>
    one.endpoint < other.endpoint ? -1 : 1;

  test('is described, with its scope, and nothing else is', () => {
    const there = allRoutes().map(({ method, path, scope }) => ({
      endpoint: `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`,
      scopes: scope === undefined ? [] : [scope],
    }));
    expect(described.toSorted(byName)).toEqual(there.toSorted(byName));
  });

  test('has a scope that there is', () => {
    const used = new Set(described.flatMap(({ scopes }) => scopes));
    expect([...used].every((scope) => SCOPES.some((known) => known === scope))).toBe(true);
  });
});
