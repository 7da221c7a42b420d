import { string } from '@oclif/core/flags';
import { Failure } from './domain/failure.ts';
import { fits } from './http/schema.ts';
import { SERVICES } from './profiles/profile.ts';
import type { Environment } from './profiles/resolve.ts';
import { WorkspaceId } from './services/askui/wire.ts';

const VARIABLE = SERVICES.askui.workspaceVariable ?? '';

export const workspaceFlag = (description: string) =>
  string({ description: `${description} [default: ${VARIABLE}]`, helpValue: 'UUID' });

/**
 * The workspace of the flag, or else of AskUI's own variable.
 *
 * @throws Failure `usage` when it is no UUID
 */
export function parseWorkspace(flag: string | undefined, env: Environment): string | undefined {
  const value = flag ?? (env[VARIABLE] || undefined);
  if (value === undefined || fits(WorkspaceId, value)) return value;
  const where = flag === undefined ? VARIABLE : '--workspace-id';
  throw new Failure('usage', `${where} is no UUID: ${JSON.stringify(value)}.`, {
    hint: 'Give one like 0b5c1f7e-9d1c-4b7e-a1f3-2d6a4f0c9e11.',
  });
}
