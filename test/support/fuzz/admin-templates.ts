import { field, optional, type Template, template } from './request.ts';

const NAME = 'fuzz';
const SCOPE = 'keys:read keys:write';

/** The administration's requests, about what is there already; `free` is the name of nothing yet. */
export function adminTemplates(id: string, free: string): Template[] {
  const about = [field('exact', 'kind', 'key'), field('key', 'id', id)];
  const filter = [optional('exact', 'kind', 'key'), optional('count', 'limit', 5)];
  const added = [field('seconds', 'ttl', 60), optional('amount', 'count', 1)];
  const token = [field('tokenName', 'name', free), field('exact', 'scope', SCOPE)];
  return [
    template('POST /admin/v1/jobs', {
      body: [...added, field('jobs', 'jobs', [{ job_type: NAME }])],
    }),
    template('POST /admin/v1/runner-jobs', { body: [...added, field('runnerJobs', 'jobs', [{}])] }),
    template('POST /admin/v1/runner-jobs/cancel', { query: [field('key', 'id', id)] }),
    template('GET /admin/v1/leases', {
      query: [
        ...filter,
        optional('exact', 'state', 'held'),
        optional('key', 'prefix', id),
        optional('exact', 'after', `key:${id}`),
      ],
    }),
    template('GET /admin/v1/lease', { query: about }),
    template('POST /admin/v1/lease/break', { query: about }),
    template('GET /admin/v1/history', {
      query: [
        ...filter,
        optional('key', 'id', id),
        optional('exact', 'type', 'acquired'),
        optional('count', 'before', 1),
      ],
    }),
    template('GET /admin/v1/events', {
      query: [
        optional('exact', 'kind', 'key'),
        optional('key', 'id', id),
        optional('exact', 'type', 'acquired,broken'),
      ],
    }),
    template('GET /admin/v1/queue', { query: [field('exact', 'kind', 'job')] }),
    template('GET /admin/v1/tokens', {}),
    template('POST /admin/v1/tokens', { body: [...token, optional('amount', 'expires_in', 60)] }),
    template('POST /admin/v1/tokens/revoke', { query: [field('exact', 'name', id)] }),
    template('GET /admin/v1/clients', {}),
    template('POST /admin/v1/clients', { body: token }),
    template('DELETE /admin/v1/clients', { query: [field('exact', 'name', id)] }),
  ];
}
