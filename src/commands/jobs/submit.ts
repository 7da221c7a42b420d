import { boolean, string } from '@oclif/core/flags';
import type { Answer } from '../../base-command.ts';
import { Failure } from '../../domain/failure.ts';
import { parseJson } from '../../domain/json.ts';
import { EndingCommand } from '../../ending-command.ts';
import type { Lock } from '../../job-command.ts';
import { submissionOf } from '../../job-work.ts';
import { type PatchName, patchOf } from '../../services/retaia/patches.ts';
import type { SubmitResult } from '../../services/retaia/wire.ts';
import { WorkDirectory } from '../../work-directory.ts';

const OBJECT = 'JSON|@FILE|-';

export default class JobsSubmit extends EndingCommand {
  static override readonly summary = 'Finish a job: submit its result';
  static override readonly description = [
    '--patch is the patch that belongs to the type of the job: facts for extract_facts,',
    'derived for generate_*, transcript for transcribe_audio. If the answer is lost, run',
    'the same command again: it is the same request, and answers the same.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> jobs submit "$JOB" --patch \'{"duration": 12.5}\'',
    'echo \'{"pages": 3}\' | <%= config.bin %> <%= command.id %> "$JOB" --facts - --metric seconds=1.8 --warning "low resolution"',
  ];
  static override readonly args = EndingCommand.holderArgs;
  static override readonly flags = {
    ...EndingCommand.endingFlags,
    patch: string({
      description: 'The patch that the type of the job owns',
      helpValue: OBJECT,
      exclusive: ['facts', 'derived', 'transcript'],
    }),
    facts: string({ description: 'The facts patch', helpValue: OBJECT }),
    derived: string({ description: 'The derived patch', helpValue: OBJECT }),
    transcript: string({ description: 'The transcript patch', helpValue: OBJECT }),
    warning: string({
      description: 'Something that the result should be read with',
      helpValue: 'TEXT',
      multiple: true,
      multipleNonGreedy: true,
    }),
    metric: string({
      description: 'A name and a value; numbers, true and false are sent as such',
      helpValue: 'NAME=VALUE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'job-type': string({
      description: 'Type of the job [default: what it was when this machine claimed it]',
      helpValue: 'TYPE',
    }),
    resume: boolean({
      description: 'Submit what jobs exec could not: the result that it kept',
      exclusive: ['patch', 'facts', 'derived', 'transcript', 'warning', 'metric', 'job-type'],
    }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(JobsSubmit);
    const id = args.job;
    const patch = await this.readObject(flags.patch, '--patch');
    const facts = await this.readObject(flags.facts, '--facts');
    const derived = await this.readObject(flags.derived, '--derived');
    const transcript = await this.readObject(flags.transcript, '--transcript');
    const metrics = this.readPairs(flags.metric, '--metric');
    const rest: SubmitResult = {
      ...(facts ? { facts_patch: facts } : {}),
      ...(derived ? { derived_patch: derived } : {}),
      ...(transcript ? { transcript_patch: transcript } : {}),
      ...(flags.warning ? { warnings: flags.warning } : {}),
      ...(metrics.length > 0 ? { metrics: Object.fromEntries(metrics.map(valued)) } : {}),
    };
    const connection = await this.connect(flags);
    let kept: WorkDirectory | undefined;
    const bodyOf = (lock: Lock) => {
      if (flags.resume) {
        const address = connection.addressOf(id);
        kept = new WorkDirectory(this.context.workDirectory, address, lock.token);
        kept.assertUnfinished(id);
        return submissionOf(lock.jobType, kept.readResult());
      }
      const type = flags['job-type'] ?? lock.jobType;
      if (type === undefined) throw untyped(id);
      const own = patch ? { [ownPatch(type)]: patch } : {};
      return { job_type: type, result: { ...own, ...rest } };
    };
    const answer = await this.end({
      id,
      way: 'submit',
      flags,
      connection,
      bodyOf,
      send: (key, body) => connection.client.submit(id, key, body),
      status: 'completed',
    });
    kept?.remove();
    return answer;
  }
}

function untyped(id: string): Failure {
  return new Failure('usage', `The type of job ${id} is not known here.`, {
    hint: 'Give it with --job-type.',
  });
}

function ownPatch(type: string): PatchName {
  const patch = patchOf(type);
  if (patch) return patch;
  throw new Failure('usage', `--patch: which patch a job of type ${type} takes is not known.`, {
    hint: 'Name it: --facts, --derived or --transcript.',
  });
}

/** Programs add up numbers: one that is written as such is sent as such, if it stays exact. */
function valued([name, text]: [string, string]): [string, unknown] {
  const value = parseJson(text);
  const isExact =
    Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
  return [name, isExact || typeof value === 'boolean' ? value : text];
}
