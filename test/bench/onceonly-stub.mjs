// Answers as OnceOnly does about keys that are held, at once, and prints its port when it listens: what
// is measured is who asks.
import { createServer } from 'node:http';

const TTL = 300;
const HELD = {
  ttl_left: TTL - 1,
  lease_id: 'lease_5b2d1a7c9e4f4a0c8d3e6f7a8b9c0d1e',
  version: 1,
  first_seen_at: new Date().toISOString(),
  done_at: null,
  result_hash: null,
  error_code: null,
};
const SPENT = { usage: 1, limit: 1_000, charged: 1 };

const ANSWERS = {
  'GET /v1/ai/status': { ...HELD, status: 'in_progress', retry_after_sec: 5 },
  'POST /v1/ai/lease': { ...HELD, ...SPENT, status: 'acquired', ttl: TTL, retry_after_sec: null },
  'POST /v1/ai/extend': { status: 'extended', ttl: TTL, version: 2 },
  'POST /v1/ai/complete': { status: 'completed', version: 3 },
  'POST /v1/ai/cancel': { status: 'failed', version: 3 },
};

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://stub');
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const answer = ANSWERS[`${request.method} ${pathname}`];
  const body = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString('utf8'));
  const key = searchParams.get('key') ?? body.key;
  // A lease lasts as long as it was asked for: renewals come the more often the shorter that is.
  const asked = body.ttl !== undefined && answer?.ttl !== undefined ? { ttl: body.ttl } : {};
  response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer ? { ok: true, ...answer, ...asked, key } : { detail: 'no' }));
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
