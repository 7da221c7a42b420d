import { string } from '@oclif/core/flags';
import { AcquireCommand } from '../acquire-command.ts';
import type { Answer } from '../base-command.ts';
import { type Limits, TAKES_A_LEASE } from '../capability.ts';
import { Failure } from '../domain/failure.ts';
import type { KeyConnection } from '../key-command.ts';
import { renderDetails } from '../output/table.ts';
import { optional } from '../positional.ts';
import type { ToolRunRequest, ToolRunResponse } from '../services/onceonly/wire.ts';

export default class Run extends AcquireCommand {
  static override readonly summary =
    'Run work once per key, or a tool under the rules for an agent';
  static override readonly description = [
    'With a KEY it acquires the key as lease does, and the hosted service queues the',
    'work. With --agent and --tool it asks the service to decide on a tool call and to',
    'make it: exit code 0 means allowed, 4 blocked. The embedded service runs no tools.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> run daily_summary_2026-01-09 --ttl 15m --meta model=small',
    '<%= config.bin %> run --agent support_bot --tool send_email --args \'{"to": "a@example.com"}\' --spend 0.02 --profile prod',
  ];
  static override readonly limits: Limits = {
    ...TAKES_A_LEASE,
    embedded: 'It runs no tools: only a KEY.',
  };
  static override readonly args = {
    key: optional('Key to run work for; or else --agent and --tool', 'key'),
  };
  static override readonly flags = {
    ...AcquireCommand.acquireFlags,
    agent: string({ description: 'Agent that calls the tool', helpValue: 'ID' }),
    tool: string({ description: 'Tool to call', helpValue: 'NAME' }),
    args: string({ description: "The tool's arguments, an object", helpValue: 'JSON|@FILE|-' }),
    spend: string({ description: 'What the call may cost, in US dollars', helpValue: 'USD' }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(Run);
    const toolFlags = [flags.agent, flags.tool, flags.args, flags.spend];
    const keyFlags = [flags.ttl, flags.meta, flags.metadata];
    if (args.key !== undefined && toolFlags.every((flag) => flag === undefined)) {
      const request = await this.leaseRequest(args.key, flags);
      const connection = await this.connect(flags);
      const origin = await this.origin(flags);
      return this.acquire(connection, 'run', request, { isIdempotent: false, origin });
    }
    const { agent, tool } = flags;
    const isKeyed = args.key !== undefined || keyFlags.some((flag) => flag !== undefined);
    if (isKeyed || agent === undefined || tool === undefined) throw notOneMode();
    const toolArgs = await this.readObject(flags.args, '--args');
    return this.#runTool(await this.connect(flags), {
      agent_id: agent,
      tool,
      ...(toolArgs ? { args: toolArgs } : {}),
      ...(flags.spend === undefined ? {} : { spend_usd: parseSpend(flags.spend) }),
    });
  }

  async #runTool({ client, target }: KeyConnection, request: ToolRunRequest): Promise<Answer> {
    const answer = await client.runTool(request);
    return {
      data: answer,
      text: (style) =>
        renderDetails(
          [
            ['Tool', request.tool],
            ['Decision', answer.decision],
            ['Allowed', answer.allowed ? 'yes' : 'no'],
            ['Reason', answer.policy_reason],
            ['Risk', answer.risk_level],
            ['Result', answer.result && JSON.stringify(answer.result)],
            ['Profile', target.profile],
          ],
          style,
        ),
      failure: answer.allowed ? undefined : blocked(request, answer),
    };
  }
}

function notOneMode(): Failure {
  return new Failure('usage', 'Give either a KEY, with --ttl and --meta, or --agent and --tool.', {
    hint: 'See leasectl run --help for an example of each.',
  });
}

function parseSpend(text: string): number {
  const amount = Number(text);
  if (text.trim() !== '' && Number.isFinite(amount) && amount >= 0) return amount;
  throw new Failure('usage', `--spend is no amount: ${JSON.stringify(text)}.`, {
    hint: 'Give US dollars, for example 0.02',
  });
}

function blocked({ agent_id, tool }: ToolRunRequest, answer: ToolRunResponse): Failure {
  const why = answer.policy_reason ? `: ${answer.policy_reason}` : '';
  return new Failure(
    'unauthorized',
    `${agent_id} may not call ${tool} (${answer.decision})${why}.`,
    {
      hint: "The service's policy decides that; ask whoever keeps it.",
      service: 'onceonly',
    },
  );
}
