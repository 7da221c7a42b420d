import { hostname } from 'node:os';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Redactor } from '../../src/domain/redactor.ts';
import { type OriginSource, originOf } from '../../src/origin/origin.ts';
import { thisProcess } from '../../src/origin/process-state.ts';

const SECRET = 'ghp_5ecretÄ/+&secret';
const COMMIT = 'c'.repeat(40);

const origin = (source: Partial<OriginSource> = {}) =>
  originOf({
    env: {},
    user: 'ada',
    command: 'exec',
    directory: undefined,
    clean: (text) => text,
    ...source,
  });

test('it is this process, on this host', () => {
  expect(origin()).toEqual({
    host: hostname(),
    user: 'ada',
    ...thisProcess(),
    command: 'exec',
  });
});

/** What each CI system sets, and what is told of it. */
const SYSTEMS = {
  'GitHub Actions': [
    {
      GITHUB_ACTIONS: 'true',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_REPOSITORY: 'team/deploy',
      GITHUB_RUN_ID: '17',
      GITHUB_JOB: 'release',
      GITHUB_ACTOR: 'ada',
      GITHUB_SHA: COMMIT,
    },
    'https://github.com/team/deploy/actions/runs/17',
    'https://github.com/team/deploy',
  ],
  'GitLab CI': [
    {
      GITLAB_CI: 'true',
      CI_JOB_URL: 'https://gitlab.com/team/deploy/-/jobs/17',
      CI_JOB_NAME: 'release',
      GITLAB_USER_LOGIN: 'ada',
      CI_PROJECT_URL: 'https://gitlab.com/team/deploy',
      CI_COMMIT_SHA: COMMIT,
    },
    'https://gitlab.com/team/deploy/-/jobs/17',
    'https://gitlab.com/team/deploy',
  ],
  Buildkite: [
    {
      BUILDKITE: 'true',
      BUILDKITE_BUILD_URL: 'https://buildkite.com/team/deploy/builds/17',
      BUILDKITE_LABEL: 'release',
      BUILDKITE_BUILD_CREATOR: 'ada',
      BUILDKITE_REPO: 'git@github.com:team/deploy.git',
      BUILDKITE_COMMIT: COMMIT,
    },
    'https://buildkite.com/team/deploy/builds/17',
    'github.com:team/deploy.git',
  ],
  CircleCI: [
    {
      CIRCLECI: 'true',
      CIRCLE_BUILD_URL: 'https://circleci.com/gh/team/deploy/17',
      CIRCLE_JOB: 'release',
      CIRCLE_USERNAME: 'ada',
      CIRCLE_REPOSITORY_URL: 'https://github.com/team/deploy',
      CIRCLE_SHA1: COMMIT,
    },
    'https://circleci.com/gh/team/deploy/17',
    'https://github.com/team/deploy',
  ],
  Jenkins: [
    {
      JENKINS_URL: 'https://ci.example.com/',
      BUILD_URL: 'https://ci.example.com/job/deploy/17/',
      JOB_NAME: 'release',
      BUILD_USER_ID: 'ada',
      GIT_URL: `https://ada:${encodeURIComponent(SECRET)}@example.com/deploy.git`,
      GIT_COMMIT: COMMIT,
    },
    'https://ci.example.com/job/deploy/17/',
    'https://example.com/deploy.git',
  ],
} as const;

test.each(Object.entries(SYSTEMS))('in %s it is a run', (provider, [env, url, repository]) => {
  expect(origin({ env })).toMatchObject({
    ci: { provider, url, job: 'release', actor: 'ada' },
    repository,
    commit: COMMIT,
  });
});

test.each(Object.entries(SYSTEMS))('what %s does not say is not told', (provider, [env]) => {
  const [mark = ''] = Object.keys(env);
  const { ci, repository } = origin({ env: { [mark]: 'true' } });
  expect({ ci, repository }).toEqual({ ci: { provider }, repository: undefined });
  expect(origin({ env: { ...env, [mark]: '' } }).ci).toBeUndefined();
});

describe('a secret gets nowhere', () => {
  const [env] = SYSTEMS['GitLab CI'];
  const places = ['CI_JOB_URL', 'CI_JOB_NAME', 'GITLAB_USER_LOGIN', 'CI_PROJECT_URL'] as const;
  const at = (place: string, value: string) =>
    JSON.stringify(origin({ env: { ...env, [place]: value } }));

  test.each(places)(
    'in %s, also as a part of it, if a variable is named so that has it',
    (place) => {
      for (const value of [
        SECRET,
        `https://a.test/${SECRET}`,
        `https://a.test/${encodeURI(SECRET)}/x`,
      ]) {
        const told = origin({ env: { ...env, [place]: value, DEPLOY_TOKEN: SECRET } });
        expect(JSON.stringify(told)).not.toMatch(/5ecret/);
        expect(told.host).toBe(hostname());
      }
    },
  );

  test.each(places)('in %s, where it is called one', (place) => {
    for (const value of [
      `https://ada:${encodeURIComponent(SECRET)}@a.test/x`,
      'https://a.test/x?private_token=5ecret&a=b#token=5ecret',
      `https://a.test/token=5ecret/x`,
      'Authorization: Bearer 5ecret',
    ]) {
      expect(at(place, value)).not.toMatch(/5ecret/);
    }
  });

  test.each(places)('in %s, where this run knows it', (place) => {
    const redactor = new Redactor();
    redactor.addCredential(SECRET);
    const clean = (text: string) => redactor.clean(text);
    const told = origin({ env: { ...env, [place]: `https://a.test/${SECRET}` }, clean });
    expect(JSON.stringify(told)).not.toMatch(/5ecret/);
  });

  test('whatever it is', () => {
    const secret = fc.string({ minLength: 8, unit: 'grapheme' });
    fc.assert(
      fc.property(secret, fc.constantFrom(...places), (value, place) => {
        const told = origin({ env: { ...env, [place]: `a ${value} b`, API_KEY: value } });
        const all = [told.user, told.repository, ...Object.values(told.ci ?? {})];
        for (const text of all) expect(text ?? '').not.toContain(value);
      }),
    );
  });
});

test('the name of a user that is somebody’s password is left out, and all else is told', () => {
  const told = origin({ user: 'postgres', env: { POSTGRES_PASSWORD: 'postgres' } });
  expect(told).toEqual({ ...origin(), user: undefined });
});
