import * as z from 'zod/mini';
import type { DescribedDialect, Named } from '../http/operation.ts';

const text = z.string();
const Refusal = z.object({ detail: z.object({ error: text, message: text }) });
const error: Named = { name: 'Error', schema: Refusal };
const State: Named = { name: 'State', schema: z.object({ status: text }) };

/** The endpoints that are of no dialect. */
export const ownDescription: DescribedDialect = {
  tag: 'service',
  description: 'What is to be known of the service itself',
  error,
  operations: [
    {
      id: 'health',
      method: 'GET',
      path: '/healthz',
      summary: 'Whether the process answers',
      answers: { 200: { description: 'It does', body: State } },
    },
    {
      id: 'readiness',
      method: 'GET',
      path: '/readyz',
      summary: 'Whether requests are to be sent here: the database is there, and no end is near',
      answers: {
        200: { description: 'They are', body: State },
        503: { description: 'They are not', body: State },
      },
    },
    {
      id: 'metrics',
      method: 'GET',
      path: '/metrics',
      scope: 'metrics',
      summary: 'Metrics of the caller’s namespace, and of the process, for Prometheus',
      answers: {
        200: {
          description: 'Metrics',
          body: { name: 'Metrics', schema: text },
          contentType: 'text/plain',
        },
      },
    },
    {
      id: 'openapi',
      method: 'GET',
      path: '/openapi.json',
      summary: 'This description',
      answers: {
        200: {
          description: 'OpenAPI 3.1',
          body: { name: 'Description', schema: z.record(text, z.unknown()) },
        },
      },
    },
  ],
};
