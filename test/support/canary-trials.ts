import {
  CREDENTIALS,
  type Credential,
  type Mode,
  SCENARIOS,
  type Scenario,
} from './canary-scenarios.ts';
import { type Command, FORMS, type Form } from './canary-surface.ts';

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

/** Chooses so that any two choices meet in some run, and that no choice is neglected. */
class Choices {
  /** How often two were made for one run. */
  readonly #met = new Map<string, number>();

  /** @param given what is settled about a run already */
  forRun(given: readonly string[]): <T>(name: string, options: readonly T[]) => T {
    const chosen = [...given];
    return (name, options) => {
      const pairs = (option: unknown) => chosen.map((other) => `${other}, ${name} ${option}`);
      const costs = options.map((option) =>
        pairs(option).reduce((sum, pair) => sum + Math.sqrt(this.#met.get(pair) ?? 0), 0),
      );
      const best = options[costs.indexOf(Math.min(...costs))] ?? options[0];
      if (best === undefined) throw new Error(`there is no ${name} to choose`);
      for (const pair of pairs(best)) this.#met.set(pair, (this.#met.get(pair) ?? 0) + 1);
      chosen.push(`${name} ${best}`);
      return best;
    };
  }
}

const firstOf = (command: Command) => FORMS.find((form) => form.command === command);

/**
 * The simplest form of every command in every scenario, and in every mode where all goes well; its
 * other forms in some. Commands that speak to no service are run in few scenarios.
 */
function allTrials(): Trial[] {
  const choices = new Choices();
  return SCENARIOS.flatMap((scenario, turn) =>
    FORMS.flatMap((form, index) => {
      const { id, service } = form.command;
      const isFirst = firstOf(form.command) === form;
      const isAsked = service !== undefined && service !== 'embedded';
      const isWanted = isFirst || scenario.isWhole || (index + turn) % SHARE === 0;
      const modes = modesOf(form, scenario);
      if (!(scenario.isForAll || isAsked) || !isWanted || modes.length === 0) return [];
      const trial = (some: readonly Mode[]): Trial => {
        const choose = choices.forRun([`form ${index}`, `scenario ${turn}`, `command ${id}`]);
        return {
          form,
          scenario,
          mode: choose('mode', some),
          credential: choose(
            'credential',
            scenario.credential ? [scenario.credential] : CREDENTIALS,
          ),
          debug: choose('debug', DEBUG),
          isInActions: choose('actions', [false, true]),
          hasFlag: choose('flag', [false, true]),
        };
      };
      return isFirst && isAsked && scenario.isWhole
        ? modes.map((mode) => trial([mode]))
        : [trial(modes)];
    }),
  );
}

export const TRIALS: readonly Trial[] = allTrials();
