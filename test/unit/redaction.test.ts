import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Redactor } from '../../src/domain/redactor.ts';
import { redactBody, redactHeaders, redactRequest, redactUrl } from '../../src/http/redaction.ts';

const CANARY = 'c4nary/+"\\é';
const asItIs = (text: string) => text;
const hide = (body: string) => redactBody(body, asItIs);

const SECRET_NAMES = [
  ...[
    'token',
    'access_token',
    'accessToken',
    'REFRESH_TOKEN',
    'id-token',
    'lock_token',
    'csrfToken',
  ],
  ...['secret', 'client_secret', 'password', 'db.password', 'api_key', 'apiKey', 'X-Api-Key'],
  ...[
    'lease_id',
    'leaseId',
    'ack',
    'ACK',
    'credentials',
    'authorization',
    'assertion',
    'client_assertion',
  ],
  ...[
    'private_key',
    'session',
    'session_id',
    'signature',
    'X-Amz-Signature',
    'code_verifier',
    'handle',
  ],
];
const PUBLIC_NAMES = [
  ...['key', 'status', 'fencing_token', 'token_type', 'token_url', 'idempotency_key', 'expires_in'],
  ...['access_token_expires_at', 'acknowledged', 'code', 'error_code', 'agent_id', 'workspace_id'],
  ...['author', 'visible', 'data', 'client_id', 'job_id', 'asset_uuid', 'result_hash', 'toast'],
];

describe('by name', () => {
  test.each(SECRET_NAMES)('%s is a secret', (name) => {
    expect(JSON.parse(hide(JSON.stringify({ a: { [name]: 'x' }, b: 1 })))).toEqual({
      a: { [name]: '***' },
      b: 1,
    });
    expect(redactHeaders({ [name]: 'x' }, asItIs)).toEqual({ [name]: '***' });
    expect(redactUrl(new URL(`https://h/p?a=b&${name}=x`), asItIs)).toBe(
      `https://h/p?a=b&${name}=***`,
    );
    expect(hide(`a=b&${name}=x&c=d`)).toBe(`a=b&${name}=***&c=d`);
  });

  test.each(PUBLIC_NAMES)('%s is none', (name) => {
    const body = JSON.stringify({ [name]: 7, more: [{ [name]: 'x' }] });
    expect(hide(body)).toBe(body);
    expect(redactHeaders({ [name]: 'x' }, asItIs)).toEqual({ [name]: 'x' });
  });

  test('a code is one in a form or a query only', () => {
    expect(hide('grant_type=authorization_code&code=x')).toBe(
      'grant_type=authorization_code&code=***',
    );
    expect(redactUrl(new URL('https://h/cb?code=x&state=1'), asItIs)).toBe(
      'https://h/cb?code=***&state=1',
    );
  });
});

describe('a body', () => {
  /** JSON in which the canary stands in every field with a secret name, and nowhere else. */
  const secret = fc.oneof(
    fc.constant(CANARY),
    fc.constant([1, { deep: [CANARY] }]),
    fc.constant({ [CANARY]: { value: `}]${CANARY}` } }),
    fc.constant(JSON.stringify({ text: CANARY })),
  );
  const harmless = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null));
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'medium', withCrossShrink: true },
      harmless,
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(fc.oneof(fc.constantFrom(...PUBLIC_NAMES), fc.string()), tie('tree')),
      fc.dictionary(fc.constantFrom(...SECRET_NAMES), secret),
      tie('tree').map((inner) => JSON.stringify(inner)),
    ),
  }));
  const forms = [CANARY, JSON.stringify(CANARY).slice(1, -1), 'c4nary'];

  test('of JSON has no secret left in a field with such a name, however deep, and stays JSON', () => {
    fc.assert(
      fc.property(tree, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const body = JSON.stringify({ a: value }, null, indent);
        const shown = hide(body);
        for (const form of forms) expect(shown).not.toContain(form);
        JSON.parse(shown);
      }),
      { numRuns: 500 },
    );
  });

  test('that breaks off anywhere has none either', () => {
    fc.assert(
      fc.property(tree, fc.nat(), (value, cut) => {
        const body = JSON.stringify([value]);
        expect(hide(body.slice(0, cut % body.length))).not.toContain('c4nary');
      }),
      { numRuns: 500 },
    );
  });

  test('without secrets stays as it is, whatever it is', () => {
    const plain = { dictionary: fc.dictionary(fc.constantFrom(...PUBLIC_NAMES), fc.integer()) };
    fc.assert(
      fc.property(fc.record(plain), (value) => {
        const body = JSON.stringify(value, null, 1);
        expect(hide(body)).toBe(body);
      }),
    );
    for (const body of [
      '',
      'null',
      '12345678901234567890',
      '{"a":1e999,"a":"\\u0061"}',
      'a: b=c',
    ]) {
      expect(hide(body)).toBe(body);
    }
  });

  test.each([
    ['{"tok\\u0065n":"canary"}', '{"tok\\u0065n":"***"}'],
    ['{"token" :\n [ {"a":"]canary"} ] , "n": 1}', '{"token" :\n "***" , "n": 1}'],
    ['{"token":"a","token":"canary"}', '{"token":"***","token":"***"}'],
    [
      '{"token":-1.5e9,"lease_id":null,"ack":"", "secret": true}',
      '{"token":"***","lease_id":null,"ack":"", "secret": true}',
    ],
    ['{"token":}', '{"token":"***"}'],
    ['{"token":nullcanary}', '{"token":"***"}'],
    ['{"data":"{\\"token\\":\\"canary\\"}"}', '{"data":"{\\"token\\":\\"***\\"}"}'],
    ['{"url":"https://u:canary@h/p?a=1&sig=canary"}', '{"url":"https://***@h/p?a=1&sig=***"}'],
    ['{"curl":"-H \'Authorization: Bearer canary.1\' -d x"}', '{"curl":"-H \'Authorization: ***"}'],
    ['{"said":"wrong: bearer canary"}', '{"said":"wrong: bearer ***"}'],
    ["{token: \"canary\", 'secret': 'canary', n: 1}", '{token: "***", \'secret\': ***, n: 1}'],
    [
      '<a><access_token> canary</access_token><n>1</n>',
      '<a><access_token> ***</access_token><n>1</n>',
    ],
    ['Cookie: a=b; c=canary\r\nHost: h', 'Cookie: ***\r\nHost: h'],
    ['Set-Cookie: a=b; c=canary\r\nHost: h', 'Set-Cookie: ***\r\nHost: h'],
    ["password='can ary' n='1'", "password=*** n='1'"],
    ['client%5Fsecret=canary&n=1', 'client%5Fsecret=***&n=1'],
    ['n=https%3A%2F%2Fh%2F%3Ftoken%3Dcanary', 'n=***'],
    ['a=b&password=', 'a=b&password='],
  ])('%s is shown as %s', (body, shown) => {
    expect(hide(body)).toBe(shown);
  });

  test('loses what is known to be secret wherever it stands, and however it is escaped', () => {
    const redactor = new Redactor();
    const known = redactor.add('s3cret/+ ü');
    const clean = (text: string) => redactor.clean(text);
    const escaped = [...known].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
    for (const body of [
      `{"said":${JSON.stringify(known)}}`,
      `{"said":"x${escaped.join('')}","n":1}`,
      `{"said":"x${escaped.join('')}`,
      `{"in":${JSON.stringify(`{"said":"${escaped.join('')}"}`)}}`,
      `n=${encodeURIComponent(known)}`,
      `n=${encodeURIComponent(known).toLowerCase()}`,
      new URLSearchParams({ n: known }).toString(),
      `<p>${known}</p>`,
    ]) {
      const shown = redactBody(body, clean);
      expect(shown).toContain('***');
      expect(shown).not.toMatch(/s3cret|\\u0073/);
    }
    expect(
      redactUrl(new URL(`https://h/${encodeURIComponent(known)}?n=s3cret/%2b+%C3%BC`), clean),
    ).toBe('https://h/***?n=***');
  });
});

test('a request loses what is known to be secret from each of its parts', () => {
  const redactor = new Redactor();
  const known = redactor.add("tok~en!secret(1234)*'x y");
  const query = new URLSearchParams({ note: `<${known}>` });
  const request = {
    url: new URL(`https://h/a%20${encodeURIComponent(known)}/b?${query}`),
    headers: { 'x-note': `of ${known}`, 'x-query': String(query), authorization: 'Bearer abc' },
    body: JSON.stringify({ note: `of ${known}`, also: String(query) }),
  };
  expect(redactRequest(request, (text) => redactor.clean(text))).toEqual({
    url: 'https://h/a%20***/b?note=***',
    headers: { 'x-note': 'of ***', 'x-query': 'note=%3C***%3E', authorization: 'Bearer ***' },
    body: '{"note":"of ***","also":"note=%3C***%3E"}',
  });
});

test('a secret that is no text in any encoding is taken out all the same', () => {
  const redactor = new Redactor();
  const secret = redactor.add('half \ud83d of a pair');
  expect(redactor.clean(`it is ${secret}.`)).toBe('it is ***.');
});

test('a secret is gone whole also where only the half of it looks like one', () => {
  const redactor = new Redactor();
  const known = redactor.add('s3cret"+and=more');
  const clean = (text: string) => redactor.clean(text);
  const said = `used Bearer ${known}`;
  expect(redactBody(JSON.stringify({ said }), clean)).toBe('{"said":"used Bearer ***"}');
  expect(redactBody(`<p>${said}</p>`, clean)).toBe('<p>used Bearer ***</p>');
  expect(redactHeaders({ 'x-said': said }, clean)).toEqual({ 'x-said': 'used Bearer ***' });
});

test('what has the name of a secret is hidden where it is said again, too', () => {
  const body = { data: { copy: 'a canary-1 b' }, credentials: { access_token: 'canary-1' } };
  expect(hide(JSON.stringify(body))).toBe('{"data":{"copy":"a *** b"},"credentials":"***"}');
});

test.each([
  ...['[', '{"a":', '"', '\\', '\\"', '""', 'token=', 'token:', 'a', 'a.', 'a=', '&', '://a'],
  ...['<a>', '{"token":[', '"token":"a', 'bearer ', ' ', 'cookie:'],
])('a megabyte of %j takes no time to speak of', (piece) => {
  const many = piece.repeat(1_000_000 / piece.length);
  for (const body of [many, `{"n":"${many}`, `{"token":${many}`]) {
    const begun = performance.now();
    hide(body);
    expect(performance.now() - begun).toBeLessThan(4_000);
  }
});

test('headers keep what is no secret, and the scheme of what is', () => {
  expect(
    redactHeaders(
      {
        Authorization: 'Bearer abc',
        'proxy-authorization': 'Basic abc',
        'www-authenticate': 'Bearer realm="x", error="invalid_token"',
        cookie: 'a=b',
        'Set-Cookie': 'a=b; Path=/',
        'x-auth-token': 'abc',
        'idempotency-key': 'id-1',
        location: 'https://u:p@h/?token=abc&a=1',
        'content-type': 'application/json; charset=utf-8',
        authorization: 'abc def',
      },
      asItIs,
    ),
  ).toEqual({
    Authorization: 'Bearer ***',
    'proxy-authorization': 'Basic ***',
    'www-authenticate': 'Bearer realm="x", error="invalid_token"',
    cookie: '***',
    'Set-Cookie': '***',
    'x-auth-token': '***',
    'idempotency-key': 'id-1',
    location: 'https://***@h/?token=***&a=1',
    'content-type': 'application/json; charset=utf-8',
    authorization: '***',
  });
});

test('a URL loses user and password, and what its fragment tells', () => {
  expect(
    redactUrl(new URL('https://me:pw@h:8443/a%20b?x=1&access_token=t#id_token=t&y=2'), asItIs),
  ).toBe('https://***@h:8443/a%20b?x=1&access_token=***#id_token=***&y=2');
  for (const who of ['me', ':pw', 'me:pw']) {
    expect(redactUrl(new URL(`https://${who}@h/`), asItIs)).toBe('https://***@h/');
  }
});

test.each([2_000, 8_000_000])('a secret of %i characters is gone, also from JSON', (length) => {
  const redactor = new Redactor();
  const secret = '<"7'.repeat(length / 3 + 1).slice(0, length);
  redactor.addCredential(secret);
  const text = `begin ${secret} ${JSON.stringify({ secret })} end`;
  expect(redactor.secretsIn(text)).toContain(secret);
  for (const cleaned of [redactor.clean(text), redactor.cleanAnswer(text)]) {
    expect(cleaned).toBe('begin *** {"secret":"***"} end');
  }
});
