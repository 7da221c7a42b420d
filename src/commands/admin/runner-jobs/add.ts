import { option, string } from '@oclif/core/flags';
import { AddCommand } from '../../../add-command.ts';
import { ADMIN_CHANGING_FLAGS } from '../../../admin-command.ts';
import { listFlags } from '../../../answer-view.ts';
import type { Answer } from '../../../base-command.ts';
import { parseCount } from '../../../count.ts';
import { renderList } from '../../../output/table.ts';
import { NewRunnerJob } from '../../../services/askui/new-job.ts';
import { HOSTS } from '../../../services/askui/wire.ts';
import { parseWorkspace, workspaceFlag } from '../../../workspace.ts';

export default class AdminRunnerJobsAdd extends AddCommand {
  static override readonly summary = 'Add jobs to the embedded service, for runner-jobs lease';
  static override readonly description = [
    'One job, or --count like ones, from flags; or many from a file with one JSON object',
    'on each line, whose fields may all be left out: {"host": "SELF", "workspace_id": "…",',
    '"tags": ["windows"], "workflows": ["w"], "runners": ["r"], "max_tries": 3, "data": {},',
    '"access_token": "…", "results_api_url": "…"}. All are added, or none.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> admin runner-jobs add --tag windows --workflow checkout',
    'echo \'{"max_tries": 1, "data": {"url": "https://example.com"}}\' | <%= config.bin %> <%= command.id %> --file -',
  ];
  static override readonly baseFlags = ADMIN_CHANGING_FLAGS;
  static override readonly flags = {
    host: option({
      description: 'Where a runner has to be to get it [default: SELF]',
      options: HOSTS,
      exclusive: ['file'],
    })(),
    'workspace-id': workspaceFlag('Workspace of the job'),
    tag: string({
      description: 'Tag that a runner must have to get it',
      helpValue: 'TAG',
      multiple: true,
      multipleNonGreedy: true,
      exclusive: ['file'],
    }),
    workflow: string({
      description: 'Workflow to run',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
      exclusive: ['file'],
    }),
    runner: string({
      description: 'Runner that may get it, and no other but those named',
      helpValue: 'ID',
      multiple: true,
      multipleNonGreedy: true,
      exclusive: ['file'],
    }),
    'max-tries': string({
      description: 'How often it is leased at most [default: 3]',
      helpValue: 'NUMBER',
      exclusive: ['file'],
    }),
    data: string({
      description: 'Object that the runner gets with it',
      helpValue: 'JSON|@FILE|-',
      exclusive: ['file'],
    }),
    ...AddCommand.addFlags,
    ...listFlags,
  };

  protected async execute(): Promise<Answer> {
    const { flags } = await this.parse(AdminRunnerJobsAdd);
    const workspace = parseWorkspace(flags['workspace-id'], this.context.env);
    const inWorkspace = workspace === undefined ? {} : { workspace_id: workspace };
    const data = await this.readObject(flags.data, '--data');
    const maxTries = flags['max-tries'];
    const described = {
      ...(flags.host ? { host: flags.host } : {}),
      ...(flags.tag ? { tags: flags.tag } : {}),
      ...(flags.workflow ? { workflows: flags.workflow } : {}),
      ...(flags.runner ? { runners: flags.runner } : {}),
      ...(maxTries === undefined ? {} : { max_tries: parseCount(maxTries, '--max-tries') }),
      ...(data ? { data } : {}),
    };
    const given = await this.requestOf(flags, NewRunnerJob, flags.file ? undefined : described);
    const jobs = given.jobs.map((job) => ({ ...inWorkspace, ...job }));
    const { client } = await this.connect(flags);
    const added = await client.addRunnerJobs({ ...given, jobs });
    const rows = added.map(({ id, host, tags, runners, max_tries }) => [
      id,
      host ?? '',
      (tags ?? []).join(','),
      (runners ?? []).join(','),
      max_tries ?? '',
    ]);
    return {
      data: added,
      text: (style) => renderList(['JOB', 'HOST', 'TAGS', 'RUNNERS', 'MAX TRIES'], rows, style),
    };
  }
}
