import * as z from 'zod/mini';
import type { DescribedAnswer, DescribedDialect, Named, Operation } from '../../http/operation.ts';
import { QueueInfo, QueueQuery } from './queue-wire.ts';
import {
  AddedClient,
  AddedJobs,
  AddedRunnerJobs,
  AddedToken,
  addRequest,
  BASE_PATH,
  BreakRequest,
  CanceledJob,
  ClientList,
  ErrorBody,
  EventsQuery,
  History,
  HistoryQuery,
  IdQuery,
  LeaseDetails,
  LeaseList,
  LeaseQuery,
  LeaseSummary,
  LeasesQuery,
  NameQuery,
  NewClient,
  NewToken,
  RemovedClient,
  TokenInfo,
  TokenList,
} from './wire.ts';

const named = (name: string, schema: z.ZodMiniType): Named => ({ name: `Admin${name}`, schema });

const error = named('Error', ErrorBody);
const refused = (description: string): DescribedAnswer => ({ description, body: error });
const told = (description: string, name: string, schema: z.ZodMiniType): DescribedAnswer => ({
  description,
  body: named(name, schema),
});
const invalid = { 422: refused('The request breaks the contract') };
const none = { 404: refused('There is none of this name, or with this id'), ...invalid };
const taken = { 409: refused('There is one of this name already'), ...invalid };
const full = { 402: refused('The namespace stores as many leases as it may'), ...invalid };
const late = { 409: refused('It is finished, or nobody holds it') };

/** What is the same for all. */
const admin = (operation: Omit<Operation, 'scope'>): Operation => ({
  ...operation,
  path: BASE_PATH + operation.path,
  scope: 'admin',
});

/** Jobs as they are added, in the words of the dialects whose they are. */
export interface NewWork {
  readonly job: z.ZodMiniType;
  readonly runnerJob: z.ZodMiniType;
}

/** What `/admin/v1/*` is. */
export function adminDescription({ job, runnerJob }: NewWork): DescribedDialect {
  return {
    tag: 'admin',
    description: 'Looking after a namespace: its work, its leases, and who may ask for them',
    error,
    operations: [...workOperations({ job, runnerJob }), ...LEASES, ...TOKENS, ...CLIENTS].map(
      admin,
    ),
  };
}

function workOperations({ job, runnerJob }: NewWork): Omit<Operation, 'scope'>[] {
  return [
    {
      id: 'addJobs',
      method: 'POST',
      path: '/jobs',
      summary: 'Add jobs, all or none',
      body: named('NewJobs', addRequest(job)),
      answers: { 201: told('Added', 'AddedJobs', AddedJobs), ...full },
    },
    {
      id: 'addRunnerJobs',
      method: 'POST',
      path: '/runner-jobs',
      summary: 'Add runner jobs, all or none',
      body: named('NewRunnerJobs', addRequest(runnerJob)),
      answers: { 201: told('Added', 'AddedRunnerJobs', AddedRunnerJobs), ...full },
    },
    {
      id: 'cancelRunnerJob',
      method: 'POST',
      path: '/runner-jobs/cancel',
      summary: 'Cancel a runner job that waits, or ask whoever has it to stop',
      query: IdQuery,
      answers: { 200: told('Canceled', 'CanceledJob', CanceledJob), ...none, ...late },
    },
  ];
}

const LEASES: readonly Omit<Operation, 'scope'>[] = [
  {
    id: 'listLeases',
    method: 'GET',
    path: '/leases',
    summary: 'Leases in all states, without their handles',
    query: LeasesQuery,
    answers: { 200: told('Leases', 'Leases', LeaseList), ...invalid },
  },
  {
    id: 'showLease',
    method: 'GET',
    path: '/lease',
    summary: 'All of a lease but its handle',
    query: LeaseQuery,
    answers: { 200: told('The lease', 'LeaseDetails', LeaseDetails), ...none },
  },
  {
    id: 'breakLease',
    method: 'POST',
    path: '/lease/break',
    summary: 'End a lease that somebody holds',
    query: LeaseQuery,
    body: named('Break', BreakRequest),
    isBodyOptional: true,
    answers: { 200: told('Broken', 'Lease', LeaseSummary), ...none, ...late },
  },
  {
    id: 'listHistory',
    method: 'GET',
    path: '/history',
    summary: 'What happened, the latest first',
    query: HistoryQuery,
    answers: { 200: told('Events', 'History', History), ...invalid },
  },
  {
    id: 'followEvents',
    method: 'GET',
    path: '/events',
    summary: 'What happens, as it happens, until somebody hangs up',
    description: [
      'Server-sent events: `data` is an event as the history has it, `event` its type, and `id` the',
      'place behind it and all that came before. First comes a `position`, without an event, from',
      'which on nothing is passed over; another one, or a comment, comes after 15 seconds without',
      'an event. Several events that became visible together have an `id` behind the last of them:',
      'so who comes again may be told some once more, and knows them by their `sequence`. The',
      'stream ends when its token is not valid any more, and when the node stops. 503 also means',
      'that too many listen to this node.',
    ].join(' '),
    query: EventsQuery,
    headers: { 'Last-Event-ID': 'The last `id` that was told: goes on behind it' },
    answers: {
      200: {
        description: 'Events',
        body: named('EventStream', z.string()),
        contentType: 'text/event-stream',
      },
      ...invalid,
    },
  },
  {
    id: 'showQueue',
    method: 'GET',
    path: '/queue',
    summary: 'How many jobs are in which state, by their types',
    query: QueueQuery,
    answers: { 200: told('The queue', 'Queue', QueueInfo), ...invalid },
  },
];

const TOKENS: readonly Omit<Operation, 'scope'>[] = [
  {
    id: 'listTokens',
    method: 'GET',
    path: '/tokens',
    summary: 'Tokens, without their secrets',
    answers: { 200: told('Tokens', 'Tokens', TokenList) },
  },
  {
    id: 'addToken',
    method: 'POST',
    path: '/tokens',
    summary: 'Make a token, which is told here only',
    body: named('NewToken', NewToken),
    answers: { 201: told('Made', 'AddedToken', AddedToken), ...taken },
  },
  {
    id: 'revokeToken',
    method: 'POST',
    path: '/tokens/revoke',
    summary: 'End a token',
    query: NameQuery,
    answers: { 200: told('Revoked, now or before', 'Token', TokenInfo), ...none },
  },
];

const CLIENTS: readonly Omit<Operation, 'scope'>[] = [
  {
    id: 'listClients',
    method: 'GET',
    path: '/clients',
    summary: 'OAuth 2.0 clients, without their secrets',
    answers: { 200: told('Clients', 'Clients', ClientList) },
  },
  {
    id: 'addClient',
    method: 'POST',
    path: '/clients',
    summary: 'Make an OAuth 2.0 client, whose secret is told here only',
    body: named('NewClient', NewClient),
    answers: { 201: told('Made', 'AddedClient', AddedClient), ...taken },
  },
  {
    id: 'removeClient',
    method: 'DELETE',
    path: '/clients',
    summary: 'Remove a client, and the access tokens that it got',
    query: NameQuery,
    answers: { 200: told('Removed', 'RemovedClient', RemovedClient), ...none },
  },
];
