import type { CiRun } from '../domain/origin.ts';
import type { Environment } from '../profiles/environment.ts';
import type { Repository } from './repository.ts';
import { withoutUser } from './repository.ts';

/** What a CI system tells the steps that it runs, in variables of its own. */
export interface CiStep extends Repository {
  readonly ci: CiRun;
}

type Read = (env: Environment) => CiRun & Repository;

/** By a variable that is set there and nowhere else. */
const SYSTEMS: readonly (readonly [mark: string, provider: string, read: Read])[] = [
  ['GITHUB_ACTIONS', 'GitHub Actions', readGitHub],
  [
    'GITLAB_CI',
    'GitLab CI',
    (env) => ({
      url: env['CI_JOB_URL'],
      job: env['CI_JOB_NAME'],
      actor: env['GITLAB_USER_LOGIN'],
      repository: env['CI_PROJECT_URL'],
      commit: env['CI_COMMIT_SHA'],
    }),
  ],
  [
    'BUILDKITE',
    'Buildkite',
    (env) => ({
      url: env['BUILDKITE_BUILD_URL'],
      job: env['BUILDKITE_LABEL'] || env['BUILDKITE_STEP_KEY'],
      actor: env['BUILDKITE_BUILD_CREATOR'],
      repository: env['BUILDKITE_REPO'],
      commit: env['BUILDKITE_COMMIT'],
    }),
  ],
  [
    'CIRCLECI',
    'CircleCI',
    (env) => ({
      url: env['CIRCLE_BUILD_URL'],
      job: env['CIRCLE_JOB'],
      actor: env['CIRCLE_USERNAME'],
      repository: env['CIRCLE_REPOSITORY_URL'],
      commit: env['CIRCLE_SHA1'],
    }),
  ],
  [
    'JENKINS_URL',
    'Jenkins',
    (env) => ({
      url: env['BUILD_URL'],
      job: env['JOB_NAME'],
      // Of plugins: who pushed the button, or the change that is built.
      actor: env['BUILD_USER_ID'] || env['CHANGE_AUTHOR'],
      repository: env['GIT_URL'],
      commit: env['GIT_COMMIT'],
    }),
  ],
];

function readGitHub(env: Environment): CiRun & Repository {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name, GITHUB_RUN_ID: run } = env;
  const repository = server && name ? `${server}/${name}` : undefined;
  return {
    url: repository && run ? `${repository}/actions/runs/${run}` : undefined,
    job: env['GITHUB_JOB'],
    actor: env['GITHUB_ACTOR'],
    repository,
    commit: env['GITHUB_SHA'],
  };
}

/** The step that this process is a part of; undefined where no CI system says so. */
export function ciStep(env: Environment): CiStep | undefined {
  const system = SYSTEMS.find(([mark]) => env[mark] && env[mark] !== 'false');
  if (!system) return undefined;
  const [, provider, read] = system;
  const { url, repository, commit, ...rest } = read(env);
  return {
    ci: { provider, url: url && withoutUser(url), ...rest },
    repository: repository && withoutUser(repository),
    commit,
  };
}
