import {
  CREDENTIALS,
  type Credential,
  type Mode,
  SCENARIOS,
  type Scenario,
} from './canary-scenarios.ts';
import { FORMS, type Form } from './canary-surface.ts';

/** One run of leasectl. */
export interface Trial {
  readonly form: Form;
  readonly scenario: Scenario;
  readonly mode: Mode;
  /** Of LEASECTL_DEBUG. */
  readonly debug: string;
  readonly isInActions: boolean;
  readonly credential: Credential;
  /** Whether `--profile` names the profile, and not LEASECTL_PROFILE. */
  readonly hasFlag: boolean;
}

const DEBUG = ['1,http', 'http', '1', '1,http', ''] as const;
/** Of the scenarios, which part is for forms that are not a command's simplest. */
const SHARE = 6;

function modesOf({ command: { flags } }: Form, { modes }: Scenario): Mode[] {
  const needed = (mode: Mode) =>
    mode === 'terminal' || mode === 'text' || mode === 'help'
      ? []
      : mode.split(' ').map((word) => (word === 'dry' ? 'dry-run' : word));
  return modes.filter((mode) => needed(mode).every((flag) => flag in flags));
}

/**
 * Every form of every command that speaks to a service, in the scenarios; all else is chosen so that
 * any two choices meet in some run, and that no choice is neglected.
 */
function allTrials(): Trial[] {
  const met = new Map<string, number>();
  const pairsOf = (choice: string, chosen: readonly string[]) =>
    chosen.map((other) => `${other} + ${choice}`);
  const trials: Trial[] = [];
  SCENARIOS.forEach((scenario, turn) => {
    FORMS.forEach((form, index) => {
      const isFirst = FORMS.findIndex(({ command }) => command === form.command) === index;
      const isAsked = form.command.service !== undefined && form.command.service !== 'embedded';
      if (!scenario.isForAll && !isAsked) return;
      const modes = modesOf(form, scenario);
      if (modes.length === 0) return;
      if (!isFirst && !scenario.isWhole && (index + turn) % SHARE !== 0) return;
      const chosen = [`form ${index}`, `scenario ${turn}`, `command ${form.command.id}`];
      const choose = <T>(name: string, options: readonly T[]): T => {
        const costs = options.map((option) => {
          const pairs = pairsOf(`${name} ${option}`, chosen);
          return pairs.reduce((sum, pair) => sum + Math.min(met.get(pair) ?? 0, 9) ** 0.5, 0);
        });
        const best = options[costs.indexOf(Math.min(...costs))] as T;
        for (const pair of pairsOf(`${name} ${best}`, chosen))
          met.set(pair, (met.get(pair) ?? 0) + 1);
        chosen.push(`${name} ${best}`);
        return best;
      };
      const trial: Trial = {
        form,
        scenario,
        mode: choose('mode', modes),
        credential: choose('credential', scenario.credential ? [scenario.credential] : CREDENTIALS),
        debug: choose('debug', DEBUG),
        isInActions: choose('actions', [false, true]),
        hasFlag: choose('flag', [false, true]),
      };
      trials.push(trial);
      // The simplest form is also asked for in the usual way, so that it can be seen to succeed.
      const isUsual = trial.mode === 'text';
      if (turn === 0 && isFirst && !isUsual) trials.push({ ...trial, mode: 'text' });
    });
  });
  return trials;
}

export const TRIALS: readonly Trial[] = allTrials();
