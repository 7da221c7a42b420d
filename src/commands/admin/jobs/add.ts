import { string } from '@oclif/core/flags';
import { AddCommand } from '../../../add-command.ts';
import { ADMIN_CHANGING_FLAGS } from '../../../admin-command.ts';
import { listFlags } from '../../../answer-view.ts';
import type { Answer } from '../../../base-command.ts';
import { renderList } from '../../../output/table.ts';
import { NewJob } from '../../../services/retaia/new-job.ts';

export default class AdminJobsAdd extends AddCommand {
  static override readonly summary = "Add jobs to leasectl's own service, for jobs claim";
  static override readonly description = [
    'One job, or --count like ones, from flags; or many from a file with one JSON object',
    'on each line, of which only job_type is needed: {"job_type": "extract_facts",',
    '"asset_uuid": "…", "required_capabilities": ["ocr"], "source": {"storage_id": "…"}}.',
    'All are added, or none.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> admin jobs add --type extract_facts --count 3',
    'echo \'{"job_type": "transcribe_audio"}\' | <%= config.bin %> <%= command.id %> --file -',
  ];
  static override readonly baseFlags = ADMIN_CHANGING_FLAGS;
  static override readonly flags = {
    type: string({ description: 'Type of the job, e.g. extract_facts', helpValue: 'TYPE' }),
    asset: string({
      description: 'Asset that it is about [default: a new UUID each]',
      helpValue: 'ID',
      dependsOn: ['type'],
    }),
    capability: string({
      description: 'Capability that an agent needs for it',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
      dependsOn: ['type'],
    }),
    source: string({
      description: 'Where the asset is: storage_id, original_relative, sidecars_relative',
      helpValue: 'JSON|@FILE|-',
      dependsOn: ['type'],
    }),
    ...AddCommand.addFlags,
    ...listFlags,
  };

  protected async execute(): Promise<Answer> {
    const { flags } = await this.parse(AdminJobsAdd);
    const source = await this.readObject(flags.source, '--source');
    const described =
      flags.type === undefined
        ? undefined
        : {
            job_type: flags.type,
            ...(flags.asset === undefined ? {} : { asset_uuid: flags.asset }),
            ...(source ? { source } : {}),
            ...(flags.capability ? { required_capabilities: flags.capability } : {}),
          };
    const request = await this.requestOf(flags, NewJob, described);
    const { client } = await this.connect(flags);
    const added = await client.addJobs(request);
    const rows = added.map(({ job_id, job_type, status, asset_uuid }) => [
      job_id,
      job_type ?? '',
      status ?? '',
      asset_uuid ?? '',
    ]);
    return {
      data: added,
      text: (style) => renderList(['JOB', 'TYPE', 'STATUS', 'ASSET'], rows, style),
    };
  }
}
