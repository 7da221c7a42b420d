import { string } from '@oclif/core/flags';
import { listFlags } from '../../answer-view.ts';
import type { Answer } from '../../base-command.ts';
import { parseCount } from '../../count.ts';
import type { Scope } from '../../engine/access.ts';
import { JobCommand } from '../../job-command.ts';
import { renderList } from '../../output/table.ts';
import { jobsOf } from '../../services/retaia/client.ts';
import { listJobs } from '../../services/retaia/find-jobs.ts';

export default class JobsList extends JobCommand {
  static readonly scopes: readonly Scope[] = ['jobs:claim'];
  static override readonly summary = 'List the jobs that can be claimed';
  static override readonly description =
    'The oldest comes first. A job whose lease ran out can be claimed again, and is listed.';
  static override readonly examples = [
    '<%= config.bin %> jobs list',
    '<%= config.bin %> jobs list --type extract_facts --capability ocr --limit 5',
  ];
  static override readonly flags = {
    limit: string({
      description: "At most so many jobs [default: the service's choice; 20 if embedded]",
      helpValue: 'NUMBER',
    }),
    type: string({ description: 'Only jobs of this type', helpValue: 'TYPE' }),
    capability: string({
      description: 'Only jobs that need no more than the capabilities given',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    ...listFlags,
  };

  protected override changesNothing = true;

  protected async execute(): Promise<Answer> {
    const { flags } = await this.parse(JobsList);
    const limit = flags.limit === undefined ? undefined : parseCount(flags.limit, '--limit');
    const { client } = await this.connect(flags);
    const answer = await listJobs(
      client,
      { type: flags.type, capabilities: flags.capability },
      limit,
    );
    const rows = jobsOf(answer).map((job) => [
      job.job_id,
      job.job_type ?? '',
      job.status ?? '',
      job.asset_uuid ?? '',
      (job.required_capabilities ?? []).join(','),
    ]);
    return {
      data: answer,
      text: (style) => renderList(['JOB', 'TYPE', 'STATUS', 'ASSET', 'CAPABILITIES'], rows, style),
    };
  }
}
